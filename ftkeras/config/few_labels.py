"""Check the fields that `few_shot` and `self_training` need, and change their defaults."""

from typing import Any

from ftkeras import catalog
from ftkeras.config.fields import AUTO
from ftkeras.errors import UserError

POLICY, HEAD_ONLY = ("full",), ("head_only",)
# The head is trained on fixed vectors, of few texts: many short epochs.
HEAD_EPOCHS, HEAD_RATE = 50, 5e-3


def use_defaults(config: Any) -> None:
    """Fill in what the user left open of the policy, and, with `few_shot`, of the head's training.

    By default, `few_shot` trains only a head, on the vectors that pairs have tuned. Another policy
    that is given trains the encoder further, for `auto`'s epochs at its learning rate.

    Raises:
        UserError: the task has not one label for each text.
    """
    if config.few_shot is None:
        _fill(config, "policy", (), POLICY)
        return
    _require_one_label(config, "few_shot")
    head = catalog.problem_default(catalog.parse("task", config.task).name, "head")
    _fill(config, "head", None, f"{head}(pooling='mean')")
    _fill(config, "policy", (), HEAD_ONLY)
    if config.policy == HEAD_ONLY:
        _fill(config, "epochs", AUTO, HEAD_EPOCHS)
        _fill(config, "learning_rate", AUTO, HEAD_RATE)


def _fill(config: Any, name: str, left_open: Any, value: Any) -> None:
    """Set a field of the frozen configuration if the user left it open."""
    if getattr(config, name) == left_open:
        object.__setattr__(config, name, value)


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
            f"self_training={spec} and teacher={config.teacher[0]} can't be combined: each round "
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
