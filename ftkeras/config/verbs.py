"""Names that `ftkeras/api` imports from here; each has a file of its own."""

from ftkeras.config.export import formats_again as formats_again
from ftkeras.config.push import PushConfig as PushConfig
from ftkeras.config.report import ReportConfig as ReportConfig
