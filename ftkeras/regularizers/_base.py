"""The interface of regularizers, and the training step that they see."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import keras

from ftkeras.regularizers._example_terms import add_to_loss
from ftkeras.support.divergence import entropy, soft_cross_entropy, symmetric_divergence
from ftkeras.support.in_keras import applied_to, in_keras, remember

if TYPE_CHECKING:
    from ftkeras.support.protocols import Model

Tensor = Any


@dataclass(frozen=True)
class Step:
    """A training step as a regularizer sees it.

    Attributes:
        targets: the answers, [batch, …].
        logits: [batch, classes], of the pass whose loss is computed.
        mean: numbers [batch] -> their mean over the examples, without a batch's blank rows, ().
        forward: (embedding_offset=None) -> logits of another training pass, with its own dropout;
            the offset [batch, length, hidden] is added to the embeddings.
        loss_of: logits -> the task's mean loss over this batch, float32 scalar ().
        value_and_gradient: (function, tensor) -> the scalar function(tensor) and its gradient. The
            value can be differentiated again with respect to what it depends on.
        embedding_shape: (batch, length, hidden), of an embedding_offset. Only for regularizers with
            `by_row`; None if the encoder's features were computed before training.
        padding_mask: [batch, length], true for tokens; None if embedding_shape is None.
        inputs: "token_ids" and maybe "segment_ids", int32 [batch, length]; only with `by_row`.
        divergence: logits, others -> how much they differ, [batch]; the problem's own.
        entropy: logits -> how undecided the prediction is, [batch]; the problem's own.
        soft_loss: logits, a teacher's answers, temperature -> how far they are apart, [batch]; the
            problem's own.
        teacher: the teacher's answers, [batch, …]; None if the run has no teacher.
        taught: the weight of each of these answers, [batch]; 0 if the teacher has none.
    """

    targets: Tensor
    logits: Tensor
    mean: Callable[[Tensor], Tensor]
    forward: Callable[..., Tensor]
    loss_of: Callable[[Tensor], Tensor]
    value_and_gradient: Callable[[Callable[[Tensor], Tensor], Tensor], tuple[Tensor, Tensor]]
    embedding_shape: Any
    padding_mask: Tensor
    inputs: Any = None
    divergence: Callable[[Tensor, Tensor], Tensor] = symmetric_divergence
    entropy: Callable[[Tensor], Tensor] = entropy
    soft_loss: Callable[[Tensor, Tensor, float], Tensor] = soft_cross_entropy
    teacher: Tensor = None
    taught: Tensor = None


class Regularizer(Protocol):
    """Interface of regularizers, and their base class: here, it adds nothing to the loss.

    A subclass stores each argument under its own name, which `get_config` reads.

    Attributes:
        replaces_loss: whether the term replaces the task's loss instead of being added to it.
        by_row: whether it acts inside the encoder on whole rows. Rows must then hold one text each,
            and the encoder must run in each step.
        of_weights: whether the term depends on the weights alone, not on the examples.
        needs_teacher: whether it reads a teacher's answers, `teacher` of the step.
        reads_teacher: whether it reads what the teacher's encoder computes; see `use_teacher`.
    """

    replaces_loss: bool = False
    by_row: bool = False
    of_weights: bool = False
    needs_teacher: bool = False
    reads_teacher: bool = False

    def attach(self, model: "Model") -> None:
        """Find variables and register hooks, once, before training.

        Raises:
            ValueError: the model lacks something that the regularizer needs.
        """

    def use_teacher(self, encoder: Any) -> None:
        """Learn from the teacher's encoder from now on, if it `reads_teacher`.

        Raises:
            ValueError: the encoder does not fit the model's.
        """

    def __call__(self, step: Step) -> Tensor:
        """Return this step's term of the loss, a scalar ()."""
        return 0.0

    def of_variable(self, model: Any) -> dict[int, Callable[[Any], Tensor]]:
        """Return the term of each variable, by the variable's id, if it is `of_weights`.

        Args:
            model: any Keras model.
        """
        raise NotImplementedError

    def apply(
        self,
        model: keras.Model,
        *,
        activation: str | None = None,
        teacher: keras.Model | None = None,
    ) -> None:
        """Apply the regularizer to a Keras model.

        A term that depends on the weights alone is added to the loss of any model; Keras counts it
        in the validation loss, too. One that depends on the examples is added to the training loss
        of a model with one output, or replaces it. What acts on embeddings or layers needs a model
        with one of our encoders.
        Call it after the model has its variables, and before the first training step. It is not
        part of a `.keras` file: apply it again to a model that was loaded and is to be trained
        further.

        Args:
            model: any Keras model.
            activation: what the model's outputs are, if the term depends on them: "linear" for
                logits of classes, "softmax", "sigmoid", "sigmoid_logits" for logits of labels, or
                "numbers"; None for the activation of the last layer.
            teacher: what `Distill` learns from: a Keras model of the same inputs and classes. It
                is called in each step. Its last layer tells what its outputs are: probabilities of
                a softmax or sigmoid, or logits if it is linear; `activation` does if it has none.

        Raises:
            ValueError: the regularizer needs `ftkeras.train`, or something that the model lacks; or
                one of its kind that depends on the examples was applied before; or the teacher
                predicts something else, such as labels instead of classes. In the first training
                step: linear outputs are to be compared, and may be no logits of classes.
        """
        if self.needs_teacher != (teacher is not None):
            needs = "a Keras model to learn from" if self.needs_teacher else "None"
            raise ValueError(f"`teacher` of {type(self).__name__} must be {needs}.")
        if self.of_weights:
            terms = self.of_variable(model)
            for variable in model.trainable_variables:
                if id(variable) in terms:
                    variable.regularizer = _added(variable.regularizer, terms[id(variable)])
            model.train_function = model.test_function = None
        elif type(self).__call__ is Regularizer.__call__:
            seen = in_keras(model)
            self.attach(seen)
            remember(seen.encoder, self)
            model.train_function = None
        elif self.reads_teacher:
            raise ValueError(
                f"{type(self).__name__} can't be applied to a Keras model, because it needs the "
                "token ids that the encoder reads; `ftkeras.train` has them."
            )
        elif any(type(part) is type(self) for part in applied_to(model)):
            raise ValueError(
                f"{type(self).__name__} was already applied to {model.name!r}, and would be added "
                "once more; make the model anew to change it."
            )
        else:
            add_to_loss(self, Step, model, activation=activation, teacher=teacher)
            remember(model, self)

    @property
    def variables(self) -> list[keras.Variable]:
        """The state of its random streams, for checkpoints."""
        streams = (v for v in vars(self).values() if isinstance(v, keras.random.SeedGenerator))
        return [stream.state for stream in streams]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        arguments = inspect.signature(type(self).__init__).parameters.values()
        return {a.name: vars(self)[a.name] for a in arguments if a.kind is a.KEYWORD_ONLY}


def _added(one: Any, other: Callable[[Any], Tensor]) -> Callable[[Any], Tensor]:
    """Return the sum of a variable's own regularizer, if it has any, and another term."""
    return other if one is None else lambda variable: one(variable) + other(variable)
