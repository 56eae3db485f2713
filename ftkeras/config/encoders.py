"""The configuration of `encoders`."""

import re
from dataclasses import dataclass

from ftkeras.config.fields import flag
from ftkeras.config.own_data import DEFAULT_TASK, KEYS
from ftkeras.config.run import Config
from ftkeras.errors import UserError


@dataclass(frozen=True, kw_only=True)
class EncodersConfig(Config):
    """The configuration of `encoders`: the texts to answer, and a budget."""

    max_ms: float | None = flag(
        None,
        "Budget",
        "Maximum number of milliseconds to predict one text of median length on this machine.",
    )
    max_mb: float | None = flag(
        None, "Budget", "Maximum size of the float32 weights, in megabytes."
    )
    language: str | None = flag(
        None,
        "Budget",
        "Language of the texts, a code of two letters such as en or fr. Lists published encoders "
        "that were pretrained on it.",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.language is not None and not re.fullmatch("[a-z]{2}", self.language):
            raise UserError(
                f"`language` must be a code of two letters, such as en. Received: "
                f"{self.language!r}."
            )
        for name in ("max_ms", "max_mb"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UserError(f"`{name}` must be positive. Received: {value}.")

    @property
    def measures(self) -> bool:
        """True if sizes are measured, because texts or a budget are given."""
        return self.task != DEFAULT_TASK or self.max_ms is not None or self.max_mb is not None


# Flags of train that decide the texts and their lengths.
USED = {*KEYS, "task", "data_dir", "max_length", "debug"}
