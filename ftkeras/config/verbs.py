"""The configurations of the verbs that train nothing, and of `find_rate` and `launch`."""

import re
from dataclasses import dataclass

from ftkeras.config import shared_flags
from ftkeras.config.fields import WithPaths, check_at_least, check_choices, flag
from ftkeras.config.own_data import DEFAULT_TASK
from ftkeras.config.run import Config
from ftkeras.errors import UserError

# A repository of the Hub.
_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]{0,95}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class PredictConfig(WithPaths):
    """The configuration of `predict`."""

    model: str | None = flag(
        None,
        "Model",
        "An exported model: saved_models/<name>, or a single version in it.",
        path=True,
    )
    text: tuple[str, ...] = flag((), "Input", "A text to predict. Repeatable.")
    pair: tuple[str, ...] = shared_flags.pair()
    input: str | None = flag(
        None,
        "Input",
        "A file or pattern to read, in any format that train reads. In other files, such as .txt, "
        "each line is a text. Default: -, standard input with one text per line.",
        path=True,
    )
    text_column: str | None = flag(
        None,
        "Input",
        "Column of the text, by name, or by number from 0; title,body joins two columns. Default: "
        "as in training.",
    )
    pair_column: str | None = shared_flags.pair_column()
    header: bool | None = shared_flags.header("Input")
    delimiter: str | None = shared_flags.delimiter("Input")
    encoding: str | None = shared_flags.encoding_of("input")
    batch_size: int = flag(32, "Input", "Maximum number of texts in a batch.")
    threshold: str | None = flag(
        None,
        "Output",
        "Probability from which a multi-label model predicts a label: 0.3, or joy=0.3,anger=0.4. "
        "Default: the model's own.",
    )
    output: str | None = flag(
        None,
        "Output",
        "A .csv, .jsonl or .parquet file with the columns of `input`, then predicted and the "
        "probability of each label. Default: one line per text on standard output.",
        path=True,
    )
    resume: bool = flag(
        False,
        "Output",
        "Continue an `output` that was interrupted, with the same input, model and settings. If "
        "there is none, start it.",
    )
    json: bool = flag(False, "Output", "Print one JSON object per text, with all probabilities.")
    debug: bool = shared_flags.debug()

    def __post_init__(self):
        super().__post_init__()
        check_at_least(self, batch_size=1)
        if self.text and self.input is not None:
            raise UserError("predict takes `text` or `input`, not both.")
        shared_flags.check_pair(self)
        if self.output is None:
            if self.resume:
                raise UserError("`resume` needs `output`, the file that was interrupted.")
            return
        shared_flags.check_output(self)
        if self.json:
            raise UserError("`json` is for standard output; for a file, use `output`=x.jsonl.")

    @property
    def describes_a_table(self) -> bool:
        """Return whether a flag says what only a file with columns has."""
        columns = (self.text_column, self.pair_column, self.header, self.delimiter)
        return any(value is not None for value in columns)


@dataclass(frozen=True, kw_only=True)
class ExplainConfig(WithPaths):
    """The configuration of `explain`."""

    model: str | None = flag(
        None, "Model", "An exported model: saved_models/<name>, or a version in it.", path=True
    )
    run_dir: str | None = flag(
        None, "Model", "Folder of a finished run, instead of `model`.", path=True
    )
    text: tuple[str, ...] = flag((), "Input", "A text whose answer to explain. Repeatable.")
    pair: tuple[str, ...] = shared_flags.pair()
    batch_size: int = flag(32, "Input", "Maximum number of texts, or occluded texts, in a batch.")
    method: str = flag(
        "integrated_gradients",
        "Explanation",
        "integrated_gradients attributes the answer to tokens, by gradients; `model` must be "
        "exported with saved_model(explain=True). occlusion leaves out each word in turn.",
    )
    label: tuple[str, ...] = flag(
        (), "Explanation", "An output to explain. Repeatable. Default: the model's answer."
    )
    steps: int = flag(
        32,
        "Explanation",
        "Number of points of integrated gradients. More points leave a smaller gap.",
    )
    json: bool = flag(False, "Output", "Print one JSON object per explanation.")
    debug: bool = shared_flags.debug()

    def __post_init__(self):
        super().__post_init__()
        check_at_least(self, batch_size=1, steps=1)
        check_choices(self, method=("integrated_gradients", "occlusion"))
        if (self.model is None) == (self.run_dir is None):
            raise UserError("explain needs `model` or `run_dir`, one of them.")
        if not self.text:
            raise UserError("explain needs `text`, a text to explain the answer to.")
        shared_flags.check_pair(self)


@dataclass(frozen=True, kw_only=True)
class PushConfig(WithPaths):
    """The configuration of `push`."""

    run_dir: str | None = flag(None, "Push", "Folder of a finished run.", path=True)
    repo: str | None = flag(
        None, "Push", "The model's repository on the Hugging Face Hub, as user/name."
    )
    private: bool = flag(False, "Push", "Make a new repository private.")
    debug: bool = shared_flags.debug("Push")

    def __post_init__(self):
        super().__post_init__()
        if not self.run_dir:
            raise UserError("push needs `run_dir`, the folder of a finished run.")
        if self.repo is None:
            raise UserError("push needs `repo`, the repository on the Hub, as user/name.")
        if not _REPOSITORY.fullmatch(self.repo):
            raise UserError(
                "`repo` must be user/name, of letters, digits, -, _ and dots. "
                f"Received: {self.repo!r}."
            )


@dataclass(frozen=True, kw_only=True)
class PlotConfig(Config):
    """The configuration of `plot`: a run's, and what to plot."""

    steps: int | None = flag(
        None,
        "Plot",
        "Number of updates of the run. Default: from `epochs`, `batch_size` and the number of "
        "examples.",
    )
    output: str | None = flag(
        None,
        "Plot",
        "The PNG file. Default: schedule.png in `run_dir` or in the current folder.",
        path=True,
    )

    def __post_init__(self):
        super().__post_init__()
        check_at_least(self, steps=1)


@dataclass(frozen=True, kw_only=True)
class ReportConfig(Config):
    """The configuration of `report`: a run's, and what its page has."""

    texts: bool = flag(
        True,
        "Report",
        "Read the run's data again, for the parts that need texts. With `notexts`, the report has "
        "no texts of examples.",
    )
    baseline: str = flag(
        "tfidf",
        "Report",
        "Model to compare with: tfidf, a linear model of word frequencies that trains in seconds, "
        "or none.",
    )
    slices: tuple[str, ...] = flag(
        (),
        "Report",
        "Columns of the data, such as product,language, each of whose values is compared with the "
        "rest. Repeatable.",
    )
    slice: tuple[str, ...] = flag(
        (),
        "Report",
        r"Compare texts that match a regular expression with the rest: 'negation=\bnot\b'. "
        "Repeatable.",
    )
    explanations: int = flag(
        20,
        "Report",
        "Number of texts to explain by integrated gradients, which takes a second or more for "
        "each. 0 for none.",
    )

    def __post_init__(self):
        super().__post_init__()
        check_at_least(self, explanations=0)
        check_choices(self, baseline=("tfidf", "none"))
        if self.run_dir is None:
            raise UserError("report needs `run_dir`, the folder of a finished run.")


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


@dataclass(frozen=True, kw_only=True)
class FindRateConfig(Config):
    """The configuration of `find_rate`: a run's, and the range of learning rates."""

    lowest_rate: float = flag(1e-6, "Range test", "Learning rate of the first update.")
    highest_rate: float = flag(1e-2, "Range test", "Learning rate of the last update.")
    steps: int = flag(
        100, "Range test", "Number of updates from the lowest to the highest learning rate."
    )

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.lowest_rate < self.highest_rate:
            raise UserError(
                "`lowest_rate` must be positive and below `highest_rate`. "
                f"Received: {self.lowest_rate} and {self.highest_rate}."
            )
        check_at_least(self, steps=10)
        if self.private is not None:
            raise UserError(
                "find_rate does not take `private`: it trains on the examples without noise."
            )


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


def formats_again(recorded: tuple[str, ...]) -> tuple[str, ...]:
    """Return the formats that `export` writes by default: a run's own, or else Config's."""
    return recorded if recorded != ("none",) else Config().export
