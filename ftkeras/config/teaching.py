"""The flags about a teacher, whose answers a run learns from, and about few labels."""

from dataclasses import dataclass

from ftkeras.config.fields import flag
from ftkeras.config.own_data import OwnData


@dataclass(frozen=True, kw_only=True)
class Teaching(OwnData):
    """The teacher of a run, texts that only the teacher answers, and what helps few labels."""

    teacher: tuple[str, ...] = flag(
        (),
        "Few labels",
        "A model to learn from, with `regularizer`=distill: the folder of a finished run, or an "
        "exported model. Repeatable; several teachers are averaged.",
        path=True,
    )
    few_shot: str | None = flag(
        None,
        "Few labels",
        "First train the encoder on pairs of labelled texts, then train only the head: {few_shot}.",
    )
    self_training: str | None = flag(
        None,
        "Few labels",
        "Train in rounds, also on the model's own confident answers to `unlabelled` texts: "
        "{self_training}.",
    )
    unlabelled: tuple[str, ...] = flag(
        (),
        "Few labels",
        "Texts without labels, for `teacher` or `self_training`: files in any format that predict "
        "reads. Repeatable.",
        path=True,
    )
