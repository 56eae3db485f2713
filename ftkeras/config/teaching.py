"""The flags about a teacher, whose answers a run learns from, and about few labels."""

from dataclasses import dataclass

from ftkeras.config.fields import flag
from ftkeras.config.own_data import OwnData


@dataclass(frozen=True, kw_only=True)
class Teaching(OwnData):
    """The teacher of a run, texts that only the teacher answers, and what helps few labels."""

    teacher: tuple[str, ...] = flag(
        (),
        "Training",
        "A model to learn from, with `regularizer`=distill: the folder of a finished run, or an "
        "exported model. Repeatable; several are averaged.",
        path=True,
    )
    few_shot: str | None = flag(
        None,
        "Training",
        "For few labels: first tune the encoder by pairs of labelled texts, then train only the "
        "head: {few_shot}.",
    )
    self_training: str | None = flag(
        None,
        "Training",
        "Train again on confident answers to `unlabelled` texts, in rounds: {self_training}.",
    )
    unlabelled: tuple[str, ...] = flag(
        (),
        "Training",
        "Texts without labels, which the `teacher` or `self_training` answers: files as predict "
        "reads them. Repeatable.",
        path=True,
    )
