"""What the verbs beside `train` are told: mostly a run's flags, and some of their own."""

from dataclasses import dataclass

from ftkeras.config.run import Config, flag
from ftkeras.errors import UserError


@dataclass(frozen=True, kw_only=True)
class PredictConfig:
    """What `predict` is told."""

    model: str | None = flag(
        None, "Model", "An exported model: saved_models/<task>, or one version in it."
    )
    text: tuple[str, ...] = flag((), "Input", "A text to label; repeatable.")
    input: str | None = flag(None, "Input", "A file with one text a line. Default: standard input.")
    batch_size: int = flag(32, "Input", "Texts a step.")
    json: bool = flag(False, "Output", "One JSON object a text, with all probabilities.")
    debug: bool = flag(False, "Output", "Show tracebacks and TensorFlow's own messages.")

    def __post_init__(self):
        if self.batch_size < 1:
            raise UserError(f"`batch_size` must be at least 1. Received: {self.batch_size}.")


@dataclass(frozen=True, kw_only=True)
class PlotConfig(Config):
    """What `plot` is told: a run's flags, and two of its own."""

    steps: int | None = flag(
        None,
        "Plot",
        "Updates of the run. Default: what --epochs, --batch_size and the examples come to.",
    )
    output: str | None = flag(None, "Plot", "The PNG. Default: schedule.png in --run_dir or here.")

    def __post_init__(self):
        super().__post_init__()
        if self.steps is not None and self.steps < 1:
            raise UserError(f"`steps` must be at least 1. Received: {self.steps}.")


@dataclass(frozen=True, kw_only=True)
class FindRateConfig(Config):
    """What `find_rate` is told: a run's flags, and the range to test."""

    lowest_rate: float = flag(1e-6, "Range test", "The first update's rate.")
    highest_rate: float = flag(1e-2, "Range test", "The last update's rate.")
    steps: int = flag(100, "Range test", "Updates from the lowest to the highest rate.")

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.lowest_rate < self.highest_rate:
            raise UserError(
                "`lowest_rate` must be positive and below `highest_rate`. "
                f"Received: {self.lowest_rate} and {self.highest_rate}."
            )
        if self.steps < 10:
            raise UserError(f"`steps` must be at least 10. Received: {self.steps}.")


@dataclass(frozen=True, kw_only=True)
class LaunchConfig:
    """What `launch` is told: its own flags, and behind `--` a verb with those of its own."""

    workers: int = flag(
        2, "Launch", "Processes: each with its part of every batch, or each with its own trials."
    )
    restarts: int = flag(
        0, "Launch", "How often to start again, from the last checkpoint, where a worker fails."
    )
    debug: bool = flag(False, "Launch", "Show tracebacks.")
    arguments: tuple[str, ...] = ()
    verb: str = "train"
    config: Config | None = None

    def __post_init__(self):
        for name, least in (("workers", 1), ("restarts", 0)):
            if getattr(self, name) < least:
                raise UserError(
                    f"`{name}` must be at least {least}. Received: {getattr(self, name)}."
                )
        if self.verb not in ("train", "tune"):
            raise UserError(f"launch starts train or tune. Received: {self.verb}.")
        if self.config is None:
            raise UserError("launch needs `--`, and behind it the flags of train, or tune.")
