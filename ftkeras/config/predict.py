"""The configuration of `predict`."""

from dataclasses import dataclass

from ftkeras.config import shared_flags
from ftkeras.config.fields import WithPaths, check_at_least, flag
from ftkeras.errors import UserError


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
        if self.text or self.input in (None, "-"):
            for name in ("text_column", "pair_column", "header", "delimiter", "encoding"):
                if (value := getattr(self, name)) is not None:
                    raise UserError(
                        f"`{name}` describes a file; name it with `input`. Received: {value}."
                    )
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
