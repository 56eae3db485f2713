"""The configurations of `predict`, `plot`, `find_rate` and `launch`."""

from dataclasses import dataclass

from ftkeras.config.fields import check_at_least, flag
from ftkeras.config.run import Config
from ftkeras.errors import UserError


@dataclass(frozen=True, kw_only=True)
class PredictConfig:
    """The configuration of `predict`."""

    model: str | None = flag(
        None, "Model", "An exported model: saved_models/<task>, or a single version in it."
    )
    text: tuple[str, ...] = flag((), "Input", "A text to classify. Repeatable.")
    input: str | None = flag(
        None, "Input", "A file with one text per line. Default: standard input."
    )
    batch_size: int = flag(32, "Input", "Most texts in a batch.")
    json: bool = flag(False, "Output", "Print a JSON object per text, with all probabilities.")
    debug: bool = flag(False, "Output", "Show tracebacks and TensorFlow's own messages.")

    def __post_init__(self):
        check_at_least(self, batch_size=1)


@dataclass(frozen=True, kw_only=True)
class PlotConfig(Config):
    """The configuration of `plot`: a run's, and what to plot."""

    steps: int | None = flag(
        None,
        "Plot",
        "Updates of the run. Default: as given by `epochs`, `batch_size` and the number of "
        "examples.",
    )
    output: str | None = flag(
        None, "Plot", "The PNG file. Default: schedule.png in `run_dir` or in the current folder."
    )

    def __post_init__(self):
        super().__post_init__()
        check_at_least(self, steps=1)


@dataclass(frozen=True, kw_only=True)
class FindRateConfig(Config):
    """The configuration of `find_rate`: a run's, and the range of learning rates."""

    lowest_rate: float = flag(1e-6, "Range test", "Learning rate of the first update.")
    highest_rate: float = flag(1e-2, "Range test", "Learning rate of the last update.")
    steps: int = flag(100, "Range test", "Updates from the lowest to the highest learning rate.")

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.lowest_rate < self.highest_rate:
            raise UserError(
                "`lowest_rate` must be positive and below `highest_rate`. "
                f"Received: {self.lowest_rate} and {self.highest_rate}."
            )
        check_at_least(self, steps=10)


@dataclass(frozen=True, kw_only=True)
class LaunchConfig:
    """The configuration of `launch`: its own, and the verb and configuration of each worker."""

    workers: int = flag(
        2,
        "Launch",
        "Number of worker processes. In train, each gets a part of every batch; in tune, each "
        "runs its own trials.",
    )
    restarts: int = flag(
        0, "Launch", "How often to restart from the last checkpoint if a worker fails."
    )
    debug: bool = flag(False, "Launch", "Show tracebacks and TensorFlow's own messages.")
    arguments: tuple[str, ...] = ()
    verb: str = "train"
    config: Config | None = None

    def __post_init__(self):
        check_at_least(self, workers=1, restarts=0)
        if self.verb not in ("train", "tune"):
            raise UserError(f"launch starts train or tune. Received: {self.verb}.")
        if self.config is None:
            raise UserError("launch needs `--`, and after it the flags of train or tune.")
