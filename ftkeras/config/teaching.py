"""The flags about a teacher: a trained model whose answers a run learns from."""

from dataclasses import dataclass

from ftkeras.config.fields import flag
from ftkeras.config.own_data import OwnData


@dataclass(frozen=True, kw_only=True)
class Teaching(OwnData):
    """The teacher of a run, and texts that only the teacher answers."""

    teacher: tuple[str, ...] = flag(
        (),
        "Training",
        "A model to learn from, with `regularizer`=distill: the folder of a finished run, or an "
        "exported model. Repeatable; several are averaged.",
        path=True,
    )
    unlabelled: tuple[str, ...] = flag(
        (),
        "Training",
        "Texts without labels, which the `teacher` answers: files as predict reads them. "
        "Repeatable.",
        path=True,
    )
