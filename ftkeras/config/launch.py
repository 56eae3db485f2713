"""The configuration of `launch`."""

from dataclasses import dataclass

from ftkeras.config import shared_flags
from ftkeras.config.fields import check_at_least, flag
from ftkeras.config.run import Config
from ftkeras.errors import UserError


@dataclass(frozen=True, kw_only=True)
class LaunchConfig:
    """The configuration of `launch`: its own, and the verb and configuration of each worker."""

    workers: int = flag(
        2,
        "Launch",
        "Number of worker processes. With train, each gets a part of every batch; with tune, each "
        "runs its own trials.",
    )
    restarts: int = flag(
        0, "Launch", "How often to restart from the last checkpoint if a worker fails."
    )
    debug: bool = shared_flags.debug("Launch")
    arguments: tuple[str, ...] = ()
    verb: str = "train"
    config: Config | None = None

    def __post_init__(self):
        check_at_least(self, workers=1, restarts=0)
        if self.verb not in ("train", "tune"):
            raise UserError(f"launch starts train or tune. Received: {self.verb}.")
        if self.config is None:
            raise UserError("launch needs `--`, and after it the flags of train or tune.")
