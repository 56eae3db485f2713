"""The configuration of `select`."""

from dataclasses import dataclass

from ftkeras.config import shared_flags
from ftkeras.config.fields import WithPaths, check_at_least, check_choices, flag
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
        "Texts without labels to choose from, a file in any format that predict reads.",
        path=True,
    )
    count: int = flag(100, "Selection", "Maximum number of texts to choose.")
    by: str = flag(
        "entropy",
        "Selection",
        "How to choose. entropy: the least certain answers. margin: the smallest differences "
        "between the two most probable answers. diverse: uncertain texts that differ.",
    )
    doubtful: bool = flag(
        False,
        "Selection",
        "Instead, choose texts of a cross-validation whose labels are probably wrong.",
    )
    seed: int = flag(0, "Selection", "Random seed of `by`=diverse.")
    text_column: str | None = flag(
        None, "Input", "Column of the text; see predict. Default: as in training."
    )
    pair_column: str | None = shared_flags.pair_column()
    header: bool | None = shared_flags.header("Input")
    delimiter: str | None = shared_flags.delimiter("Input")
    encoding: str | None = shared_flags.encoding_of("data")
    output: str | None = flag(
        None,
        "Output",
        "A .csv, .jsonl or .parquet file. Default: one line per text on standard output.",
        path=True,
    )
    debug: bool = shared_flags.debug()

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
        shared_flags.check_output(self)
