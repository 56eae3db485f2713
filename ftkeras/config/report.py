"""The configuration of `report`."""

from dataclasses import dataclass

from ftkeras.config.fields import check_at_least, check_choices, flag
from ftkeras.config.run import Config
from ftkeras.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ReportConfig(Config):
    """The configuration of `report`: a run's, and what its page has."""

    run_dir: str | None = flag(None, "Report", "Folder of a finished run.", free=True, path=True)
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
    debug: bool = flag(False, "Report", "Show tracebacks and TensorFlow's own messages.", free=True)

    def __post_init__(self):
        super().__post_init__()
        check_at_least(self, explanations=0)
        check_choices(self, baseline=("tfidf", "none"))
        if self.run_dir is None:
            raise UserError("report needs `run_dir`, the folder of a finished run.")
