"""The configuration of `select`."""

from dataclasses import dataclass

from ftkeras.config.fields import WithPaths, check_at_least, check_choices, flag
from ftkeras.config.verbs import OUTPUTS
from ftkeras.errors import UserError

CRITERIA = ("entropy", "margin", "diverse")


@dataclass(frozen=True, kw_only=True)
class SelectConfig(WithPaths):
    """The configuration of `select`: a run, and texts to choose from; or a cross-validation."""

    run_dir: str | None = flag(
        None,
        "Selection",
        "Folder of a finished run; with `doubtful`, of a cross-validation.",
        path=True,
    )
    data: str | None = flag(
        None,
        "Selection",
        "Texts without labels to choose from: a file as predict reads it.",
        path=True,
    )
    count: int = flag(100, "Selection", "Most texts to choose.")
    by: str = flag(
        "entropy",
        "Selection",
        "entropy: the least certain answers. margin: the smallest distances between the two best "
        "ones. diverse: uncertain answers to texts that differ from each other.",
    )
    doubtful: bool = flag(
        False,
        "Selection",
        "Choose labelled texts of a cross-validation whose label is probably wrong, instead.",
    )
    seed: int = flag(0, "Selection", "Random seed of `by`=diverse, which samples.")
    text_column: str | None = flag(
        None, "Input", "Column of the text; see predict. Default: as in training."
    )
    pair_column: str | None = flag(None, "Input", "Column of the second text. Default: the same.")
    header: bool | None = flag(None, "Input", "Whether the first row names the columns.")
    delimiter: str | None = flag(None, "Input", "Between the fields of `data`: one character.")
    encoding: str | None = flag(None, "Input", "Of `data`, such as cp1252. Default: detected.")
    output: str | None = flag(
        None,
        "Output",
        "A .csv, .jsonl or .parquet file. Default: a line per text on standard output.",
        path=True,
    )
    debug: bool = flag(False, "Output", "Show tracebacks and TensorFlow's own messages.")

    def __post_init__(self):
        super().__post_init__()
        check_at_least(self, count=1, seed=0)
        check_choices(self, by=CRITERIA)
        if not self.run_dir:
            raise UserError("select needs `run_dir`, the folder of a finished run.")
        if self.doubtful and self.data is not None:
            raise UserError("`doubtful` reads the data of the cross-validation; omit `data`.")
        if not self.doubtful and self.data is None:
            raise UserError("select needs `data`, texts to choose from; or `doubtful`.")
        if self.output is not None and not self.output.lower().endswith(OUTPUTS):
            raise UserError(
                f"`output` must end in {', '.join(OUTPUTS[:-1])} or {OUTPUTS[-1]}. "
                f"Received: {self.output!r}."
            )
