"""The configuration of `drift`."""

from dataclasses import dataclass

from ftkeras.config.fields import WithPaths, check_at_least, check_choices, check_shares, flag
from ftkeras.errors import UserError


@dataclass(frozen=True, kw_only=True)
class DriftConfig(WithPaths):
    """The configuration of `drift`."""

    run_dir: str | None = flag(
        None, "Drift", "Folder of the run that trained the served model.", path=True
    )
    statistics: str | None = flag(
        None, "Drift", "The file that serve --log_statistics wrote.", path=True
    )
    split: str = flag("test", "Drift", "The split to compare with: test or validation.")
    version: int | None = flag(
        None, "Drift", "Compare this version of the model only. Default: all."
    )
    last: int | None = flag(
        None, "Drift", "Compare only this many of the newest windows of time. Default: all."
    )
    alpha: float = flag(
        0.01, "Tests", "Probability of a false alarm in all tests together (Holm's method)."
    )
    min_effect: float = flag(
        0.1, "Tests", "Smallest difference that counts as drift, as a share of the texts."
    )
    min_texts: int = flag(
        100, "Tests", "Minimum number of texts; with fewer, nothing is concluded."
    )
    require: bool = flag(
        False, "Output", "End with exit code 3 if something has drifted, for cron or CI."
    )
    output: str | None = flag(None, "Output", "Write the result to this JSON file.", path=True)
    debug: bool = flag(False, "Output", "Show tracebacks.")

    def __post_init__(self):
        super().__post_init__()
        if self.run_dir is None or self.statistics is None:
            raise UserError(
                "drift needs `run_dir`, the folder of the run, and `statistics`, the file that "
                "serve wrote with `log_statistics`."
            )
        check_choices(self, split=("test", "validation"))
        check_shares(self, "alpha")
        check_at_least(self, last=1, min_texts=1)
        if not 0 <= self.min_effect < 1:
            raise UserError(
                f"`min_effect` must be at least 0 and below 1. Received: {self.min_effect}."
            )
