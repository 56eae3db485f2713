"""BitFit: train the biases only."""

import keras

from ftkeras.policies import _layers
from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds
from ftkeras.support.in_keras import encoders_of
from ftkeras.support.protocols import Model

# In Keras's layers, and in its LayerNormalization.
_BIASES = ("bias", "beta")


class BitFit(Policy):
    """Train only the encoder's biases, including LayerNorm's, and the head.

    y = norm(x W + b): b and the norm's bias train, W and the norm's scale do not

    The pooler counts as a layer of the encoder, so its bias trains. If the checkpoint has no
    pooler, a new one is used; then train its kernel as well, with `pooler=True`.
    Source: Zaken et al., 2022, section 3, https://arxiv.org/abs/2106.10199.

    Args:
        pooler: whether the whole pooler, if there is one, trains.

    Raises:
        ValueError: if an argument is neither True nor False. The message names it and the value.

    >>> from types import SimpleNamespace
    >>> from ftkeras.encoders.bert import Bert
    >>> encoder = Bert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> BitFit().prepare(SimpleNamespace(encoder=encoder))
    >>> all(v.name.endswith("bias") for v in encoder.trainable_variables)
    True
    """

    decides = TRAINS
    rate_factor = 10.0  # Zaken et al. search 1e-4 to 1e-3, and 1e-5 to 5e-5 for all weights

    def __init__(self, *, pooler: bool = False):
        bounds.boolean(pooler=pooler)
        self.pooler = pooler

    def apply(self, model: keras.Model) -> None:
        """Freeze all variables of a Keras model but its biases.

        A model without an encoder of ours is frozen as a whole, so apply the policy to its
        backbone alone, such as `classifier.backbone` of KerasHub; the head then trains. Call it
        after the model has its variables, and before `compile`. It is not part of a `.keras` file:
        apply it again to a model that was loaded and is to be trained further.

        Raises:
            ValueError: the model has no bias.
        """
        if encoders_of(model):
            super().apply(model)
            return
        biases = [variable for variable in model.weights if variable.name in _BIASES]
        if not biases:
            raise ValueError(f"`model` must have biases. Received: none in {model.name!r}.")
        kept = {id(variable) for variable in biases}
        for variable in model.weights:
            variable.trainable = variable.trainable and id(variable) in kept
        model.train_function = None

    def prepare(self, model: Model) -> None:
        whole = _layers.pooler_weights(model.encoder) if self.pooler else []
        trained = {id(variable) for variable in whole}
        for variable in model.encoder.weights:
            variable.trainable = variable.name.endswith("bias") or id(variable) in trained
