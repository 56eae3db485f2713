"""The interface of policies, and the check that several fit together."""

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ftkeras.support.in_keras import in_keras, trace_again

if TYPE_CHECKING:
    import keras
    from keras.callbacks import Callback

    from ftkeras.support.protocols import Model

# What only one policy of a run may decide. Other conflicts are found by `check`.
TRAINS = "what trains"
RATES = "the layers' learning rates"
START = "what is reinitialized"


class Policy(Protocol):
    """Interface of policies, and their base class: here, each method does nothing.

    A subclass stores each argument under its own name, which `get_config` reads.

    Attributes:
        decides: what the policy decides for the whole run, or None. Two policies of a run must not
            decide the same.
        stays: whether what `prepare` adds remains part of the finished model, so that rebuilding
            the model needs the policy.
        rate_factor: what learning_rate=auto is multiplied by. Few trained weights need more than
            all of them.
    """

    decides: str | None = None
    stays: bool = False
    rate_factor: float = 1.0

    def prepare(self, model: "Model") -> None:
        """Change the model once, after the checkpoint is loaded and before it is compiled.

        Raises:
            ValueError: the model lacks something that the policy needs.
        """

    def check(self, model: "Model") -> None:
        """Check the model once all policies have prepared it.

        Raises:
            ValueError: the other policies leave this one nothing to act on.
        """

    def multipliers(self, model: "Model") -> list[tuple[str, float]]:
        """Return factors on the learning rate of single variables.

        Args:
            model: what a run trains, or any Keras model. Optimizers of `ftkeras.optimizers` take
                the result as `multipliers`.

        Returns:
            (regular expression on variable paths, factor) pairs; the first match counts. A factor
            scales a variable's update and its weight decay.
        """
        return []

    def callbacks(self, model: "Model") -> list["Callback"]:
        """Return Keras callbacks for what changes during training."""
        return []

    def finish(self, model: "Model") -> None:
        """Fold what `prepare` added into the model's own variables, with the best epoch's weights.

        What is evaluated, saved and exported is then a plain encoder and head.
        """

    def apply(self, model: "keras.Model") -> None:
        """Apply the policy to any Keras model that has one of our encoders.

        Call it after the model is made and before `compile`. It works for policies that only decide
        which variables train. What it does is not part of a `.keras` file: apply the policy again
        to a model that was loaded and is to be trained further.

        Args:
            model: functional, sequential or subclassed; has exactly one encoder of
                `ftkeras.encoders`.

        Raises:
            ValueError: the model has no encoder or several, or the policy needs `ftkeras.train`.
        """
        name, cls = type(self).__name__, type(self)
        if cls.multipliers is not Policy.multipliers:
            raise ValueError(
                f"{name} sets learning rates: pass `multipliers={name}(…).multipliers(model)` to "
                "an optimizer of ftkeras.optimizers instead."
            )
        if cls.callbacks is not Policy.callbacks:
            raise ValueError(
                f"{name} can't be applied to a Keras model: pass "
                f"`callbacks={name}(…).callbacks(model)` to `fit` of a TextClassifier instead."
            )
        if self.stays:
            raise ValueError(f"{name} can't be applied to a Keras model; `ftkeras.train` has it.")
        self.prepare(in_keras(model))
        trace_again(model)  # what was traced before does not know of the policy

    def merge(self, model: "keras.Model") -> None:
        """Fold what `apply` added into the encoder's own variables, after training.

        Raises:
            ValueError: the model has no encoder or several; or, of `LoRA`, the policy was not
                applied to it.
        """
        self.finish(in_keras(model))
        trace_again(model)  # or a later `fit` would still train what was added

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        arguments = inspect.signature(type(self).__init__).parameters.values()
        kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
        names = [a.name for a in arguments if a.kind in kinds and a.name != "self"]
        return {name: vars(self)[name] for name in names}


def check_together(policies: Sequence[Policy]) -> None:
    """Check that no two policies decide the same.

    Raises:
        ValueError: names both policies and what they decide.
    """
    deciding: dict[str, str] = {}
    for policy in policies:
        name = type(policy).__module__.rpartition(".")[2]
        if policy.decides is None:
            continue
        if policy.decides in deciding:
            raise ValueError(
                f"{deciding[policy.decides]} and {name} both decide {policy.decides}; keep one."
            )
        deciding[policy.decides] = name
