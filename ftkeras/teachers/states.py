"""Give a teacher's encoder to the regularizers that learn from what it computes within."""

from collections.abc import Sequence

from ftkeras.errors import UserError
from ftkeras.experiment import answering
from ftkeras.experiment.definition import Experiment
from ftkeras.teachers.run import RunTeacher
from ftkeras.teachers.teacher import Teacher


def hand_over(experiment: Experiment, teachers: Sequence[Teacher]) -> None:
    """Load the teacher's encoder for regularizers that read it, if there are any.

    Args:
        experiment: of the student.
        teachers: its teachers, from `teacher_answers.open_teachers`.

    Raises:
        UserError: if there are several teachers or only an export, or the encoder does not fit.
    """
    config = experiment.config
    regularizers = zip(config.regularizer, experiment.model.regularizers, strict=True)
    readers = {spec: one for spec, one in regularizers if one.reads_teacher}
    if not readers:
        return
    spec, teacher = next(iter(readers)), teachers[0]
    if len(teachers) > 1 or not isinstance(teacher, RunTeacher):
        raise UserError(
            f"regularizer={spec} needs one teacher, and the folder of its run: an export does not "
            "show what its layers compute."
        )
    opened = answering.open_run(
        teacher.folder,
        devices=experiment.devices,
        cache_dir=config.cache_dir,
        strategy=config.strategy,
    )
    for spec, reader in readers.items():
        _require_same_tokens(experiment, opened, spec, teacher.name)
        try:
            reader.use_teacher(opened.model.encoder)
        except ValueError as error:
            raise UserError(f"regularizer={spec}, teacher={teacher.name}: {error}") from error


def _require_same_tokens(student: Experiment, teacher: Experiment, spec: str, name: str) -> None:
    """Raise UserError unless the teacher can read the student's token ids."""
    start = f"regularizer={spec}: teacher={name}"
    ours, its = (one.text_layer.tokenizer for one in (student, teacher))
    if (ours.vocabulary, ours.identity()) != (its.vocabulary, its.identity()):
        raise UserError(f"{start} has another vocabulary than the encoder; both need the same.")
    own, encoder = student.model.encoder, teacher.model.encoder
    if student.config.max_length > encoder.positions:
        raise UserError(
            f"{start} has {encoder.positions} positions, fewer than "
            f"max_length={student.config.max_length}."
        )
    if student.pairs and (own.segments > 0) != (encoder.segments > 0):
        raise UserError(
            f"{start}: only one of the two encoders marks the texts of a pair by segments."
        )
