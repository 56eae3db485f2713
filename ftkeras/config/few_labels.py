"""Check the fields that `few_shot` and `self_training` need, and change their defaults."""

from typing import Any

from ftkeras import catalog
from ftkeras.config.fields import AUTO
from ftkeras.errors import UserError

# The head is trained on fixed vectors, of few texts: many short epochs.
HEAD_EPOCHS, HEAD_RATE = 50, 5e-3


def use_defaults(config: Any) -> None:
    """Use the defaults of `few_shot`: train only the head, on the vectors that pairs have tuned.

    Raises:
        UserError: the task has not one label for each text.
    """
    if config.few_shot is None:
        return
    _require_one_label(config, "few_shot")
    head = catalog.problem_default(catalog.parse("task", config.task).name, "head")
    for name, given, default in (
        ("head", None, f"{head}(pooling='mean')"),
        ("policy", ("full",), ("head_only",)),
        ("epochs", AUTO, HEAD_EPOCHS),
        ("learning_rate", AUTO, HEAD_RATE),
    ):
        if getattr(config, name) == given:
            object.__setattr__(config, name, default)


def check(config: Any) -> None:
    """Raise UserError unless `self_training` has what it needs, and no teacher beside itself."""
    spec = config.self_training
    if spec is None:
        return
    _require_one_label(config, "self_training")
    if not config.unlabelled:
        raise UserError(f"self_training={spec} needs `unlabelled`, texts to answer.")
    if config.teacher:
        raise UserError(
            f"self_training={spec} and teacher={config.teacher[0]} exclude each other: each round "
            "learns from the one before."
        )
    if config.train_on_validation:
        raise UserError(
            f"self_training={spec} needs a validation split, by which answers are calibrated and "
            "rounds compared, but `train_on_validation` trains on it; omit one of them."
        )


def _require_one_label(config: Any, field: str) -> None:
    task = catalog.parse("task", config.task).name
    if not catalog.problem_default(task, "one_label"):
        raise UserError(
            f"{field}={getattr(config, field)} needs one label for each text, which the task "
            f"{task} does not have."
        )
