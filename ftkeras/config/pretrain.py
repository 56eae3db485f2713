"""The configuration of `pretrain`."""

import dataclasses
import logging
from dataclasses import dataclass
from typing import Any

from ftkeras import catalog
from ftkeras.config.fields import check_at_least, check_not_given, flag
from ftkeras.config.run import Config
from ftkeras.config.teaching import Teaching
from ftkeras.errors import PartError, UserError
from ftkeras.support.specs import Spec

log = logging.getLogger(__name__)

TASK = "masked_lm"
# Keys of tasks on files that are about texts, not about answers.
_KEYS = ("train", "test", "validation", "header", "delimiter", "encoding")
# The place of a vocabulary that is still to be trained.
UNTRAINED = "(trained)"


def _changed(name: str, default: Any) -> Any:
    """Return a field of `Config` with another default."""
    return dataclasses.field(default=default, metadata=Config.__dataclass_fields__[name].metadata)


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(Config):
    """The configuration of `pretrain`: a run's, and what is predicted.

    Its task is that of predicting the texts of the given one.
    """

    masking: str = flag("tokens", "Pretraining", "Which tokens to mask and predict: {masking}.")
    vocabulary_size: int | None = flag(
        None,
        "Pretraining",
        "First train a vocabulary of this many tokens on the texts. Only for encoders with random "
        "weights, such as bert(layers=4, hidden=256, heads=4).",
    )
    export: tuple[str, ...] = _changed("export", ("huggingface",))
    test: bool = _changed("test", False)

    def __post_init__(self):
        check_not_given(self, "pretrain", REFUSED)
        self._use_trained_vocabulary()
        super().__post_init__()
        check_at_least(self, vocabulary_size=300)
        if self.private is not None and self.vocabulary_size is not None:
            raise UserError(
                f"vocabulary_size={self.vocabulary_size} can't be combined with "
                f"private={self.private}: a vocabulary made from the texts would reveal their "
                "words; use a public one."
            )

    def run_config(self) -> Config:
        """Return the configuration of the run, which can be trained and recorded."""
        names = [field.name for field in dataclasses.fields(Config)]
        return Config(**{name: getattr(self, name) for name in names})

    def _use_own_data(self) -> None:
        if given := [name for name in UNUSED if getattr(self, name) is not None]:
            names = ", ".join(f"`{name}`" for name in given)
            log.info(f"note: pretrain reads no labels, so it ignores {names}")
        super()._use_own_data()
        object.__setattr__(self, "task", task_of_texts(self.task, masking=self.masking))

    def _use_trained_vocabulary(self) -> None:
        """Name the vocabulary that is to be trained in the encoder's spec."""
        if self.vocabulary_size is None:
            return
        spec = None if self.encoder == Config.encoder else _new_encoder(self.encoder)
        if spec is None:
            raise UserError(
                f"vocabulary_size={self.vocabulary_size} is for an encoder with random weights, "
                "such as encoder=bert(layers=4, hidden=256, heads=4), without checkpoint= or "
                f"vocabulary=. Received: encoder={self.encoder}."
            )
        arguments = {**spec.arguments, "vocabulary": UNTRAINED}
        object.__setattr__(self, "encoder", str(Spec(spec.name, arguments)))


# Flags about the data that pretrain and train share, as in a flagfile, but which train alone reads.
UNUSED = ("label_column", "label_names", "label_separator")
# Flags of train that pretrain does not take, and why.
REFUSED = {
    **dict.fromkeys(("class_weights", "oversample", "calibrate", "canaries"), "it reads no labels"),
    **dict.fromkeys(Teaching.__annotations__, "it reads no labels and has no teacher"),
    "pretrain_epochs": "use `epochs`",
}


def _new_encoder(text: str) -> Spec | None:
    """Return the spec of an encoder without a checkpoint or a vocabulary; None if it is another."""
    if "(" not in text and text not in catalog.names("encoder"):
        return None
    spec = catalog.parse("encoder", text)
    taken = {"checkpoint", "vocabulary"} & spec.arguments.keys()
    is_placed = spec.arguments.get("vocabulary") == UNTRAINED
    return None if taken and not is_placed else spec


def with_vocabulary(encoder: str, folder: str) -> str:
    """Return an encoder's spec with the vocabulary that was trained.

    >>> with_vocabulary("bert(layers=2, vocabulary='(trained)')", "runs/a/vocabulary")
    "bert(layers=2, vocabulary='runs/a/vocabulary')"
    """
    spec = catalog.parse("encoder", encoder)
    return str(Spec(spec.name, {**spec.arguments, "vocabulary": folder}))


def task_of_texts(task: str, *, masking: str) -> str:
    """Return the task of predicting the texts that another task has.

    Args:
        task: its spec.
        masking: the spec of what chooses the tokens to predict.

    Raises:
        UserError: the task has arguments but no files.

    >>> task_of_texts("imdb", masking="words")
    "masked_lm(of='imdb', masking='words')"
    >>> task_of_texts("classification(train='a.csv', text='body', label='y')", masking="words")
    "masked_lm(train='a.csv', text='body', masking='words')"
    """
    spec = catalog.parse("task", task)
    if spec.name == TASK:
        return str(Spec(TASK, {"masking": masking, **spec.arguments}))
    given = {key: spec.arguments[key] for key in _KEYS if key in spec.arguments}
    if "train" not in given:
        if spec.arguments:
            raise PartError("task", task, "`pretrain` needs a task on files, or one without keys.")
        return str(Spec(TASK, {"of": spec.name, "masking": masking}))
    columns = [spec.arguments[key] for key in ("text", "pair") if spec.arguments.get(key)]
    flat = [name for part in columns for name in (part if isinstance(part, tuple) else (part,))]
    if flat:
        given["text"] = flat[0] if len(flat) == 1 else tuple(flat)
    return str(Spec(TASK, {**given, "masking": masking}))
