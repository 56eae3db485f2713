"""Fields of a run's configuration that depend on each other: defaults and checks."""

from typing import Any

from ftkeras import catalog
from ftkeras.config import few_labels
from ftkeras.errors import UserError

# The regularizers that learn from a teacher.
DISTILL = ("distill", "distill_states")


def use_defaults_of_problem(config: Any) -> None:
    """Use the problem's loss and metric unless others are given; the head's loss if it has one."""
    few_labels.use_defaults(config)
    if config.loss is None:
        object.__setattr__(config, "loss", catalog.head_loss(config.head))
    for name, attribute in catalog.OF_PROBLEM.items():
        if getattr(config, name) is None:
            object.__setattr__(config, name, _of_problem(config, attribute))


def truncation(config: Any) -> str:
    """Return the spec of the run's truncation: the given one, or that of the task's problem."""
    return config.truncation or _of_problem(config, "truncation")


def cuts_windows(config: Any) -> bool:
    """Return whether the run's truncation cuts texts into windows."""
    spec = catalog.parse("truncation", truncation(config))
    return catalog.find("truncation", spec.name).cuts_windows


def _of_problem(config: Any, attribute: str) -> str:
    return catalog.problem_default(config.task.partition("(")[0].strip(), attribute)


def check(config: Any) -> None:
    """Raise UserError if fields exclude each other, or one lacks another that it needs."""
    _check_folds(config)
    _check_validation(config)
    _check_teacher(config)


def _check_folds(config: Any) -> None:
    """Raise UserError if a field about folds lacks `folds`, or `fold` is not below it."""
    for name, default in (("fold", None), ("group_by", None), ("fold_repeat", 0)):
        value = getattr(config, name)
        if config.folds is None and value != default:
            raise UserError(f"{name}={value} needs `folds`, the number of folds.")
    if config.folds is not None and config.fold is not None and config.fold >= config.folds:
        raise UserError(f"`fold` must be below folds={config.folds}. Received: {config.fold}.")


def _check_validation(config: Any) -> None:
    """Raise UserError if `train_on_validation` leaves nothing for what is asked for."""
    if not config.train_on_validation:
        return
    if config.early_stopping is not None:
        raise UserError(
            f"early_stopping={config.early_stopping} needs a validation split, but "
            "`train_on_validation` trains on it; use `last_epoch` to end training early."
        )
    if config.evaluate_every is not None:
        raise UserError(
            f"evaluate_every={config.evaluate_every} needs a validation split, but "
            "`train_on_validation` trains on it; omit one of them."
        )
    if config.calibrate:
        raise UserError(
            "`calibrate` needs a validation split, but `train_on_validation` trains on it; omit "
            "one of them."
        )
    if not config.test:
        raise UserError("`train_on_validation` with `notest` leaves nothing to evaluate on.")


def _check_teacher(config: Any) -> None:
    """Raise UserError if one of a teacher, what to do with its answers and its texts is missing."""
    specs = [s for s in config.regularizer if catalog.parse("regularizer", s).name in DISTILL]
    if config.teacher and not specs:
        raise UserError(
            f"teacher={config.teacher[0]} needs `regularizer`={DISTILL[0]}, which says how to "
            f"learn from it, such as {DISTILL[0]}(temperature=2, weight=0.5)."
        )
    if specs and not config.teacher:
        raise UserError(
            f"regularizer={specs[0]} needs `teacher`, the folder of a run or an exported model."
        )
    if config.unlabelled and not (config.teacher or config.self_training):
        raise UserError(
            f"unlabelled={config.unlabelled[0]} needs `teacher`, a model that answers its texts; or"
            " `self_training`."
        )
    if "-" in config.unlabelled:
        raise UserError("unlabelled=- is read several times, so it must be a file.")
    few_labels.check(config)
