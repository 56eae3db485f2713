"""The configuration of `explain`."""

from dataclasses import dataclass

from ftkeras.config import shared_flags
from ftkeras.config.fields import WithPaths, check_at_least, check_choices, flag
from ftkeras.errors import UserError


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
