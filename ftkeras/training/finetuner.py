import keras
import tensorflow as tf
from keras import ops


class FineTuner(keras.Model):
    """An encoder with a head: token ids to logits.

    Args:
        encoder: token_ids, padding_mask, segment_ids -> features.
        head: features, padding_mask -> logits.
        pad_id: the id of [PAD]. A text never holds it, so padding is wherever it stands.
        step_of: makes what a regularizer is called with from keyword arguments; None where the
            model has no regularizers.

    `regularizers`, set before compiling, are called in each training step, and what they give is
    added to its loss, the reported one too; validation and test losses are the task's alone.

    Call: {"token_ids"} or {"token_ids", "segment_ids"}, int32 [batch, length] -> logits
        [batch, classes].
    """

    def __init__(self, *, encoder, head, pad_id: int, step_of=None, **kwargs):
        super().__init__(name="fine_tuner", **kwargs)
        self.encoder, self.head, self.pad_id, self.step_of = encoder, head, pad_id, step_of
        self.regularizers = ()

    @property
    def kept(self) -> list[keras.Variable]:
        """The encoder's and the head's weights: all that a finished model is made of."""
        return [*self.encoder.weights, *self.head.weights]

    def call(self, inputs, embedding_offset=None, training=False):
        token_ids = inputs["token_ids"]
        padding_mask = ops.not_equal(token_ids, self.pad_id)
        features = self.encoder(
            token_ids,
            padding_mask=padding_mask,
            segment_ids=inputs.get("segment_ids"),
            embedding_offset=embedding_offset,
            training=training,
        )
        return self.head(features, padding_mask, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        def loss_of(logits):
            return keras.Model.compute_loss(self, x, y, logits, sample_weight, training)

        loss = loss_of(y_pred)
        if not training or not self.regularizers:
            return loss
        step = self._step(x, y, y_pred, loss_of)
        # A loss under a strategy is each replica's share of the sum over all: so is a term.
        share = 1 / tf.distribute.get_strategy().num_replicas_in_sync
        return loss + share * sum(term(step) for term in self.regularizers)

    def _step(self, inputs, labels, logits, loss_of):
        token_ids = inputs["token_ids"]
        shape = ops.shape(token_ids)
        return self.step_of(
            labels=labels,
            logits=logits,
            forward=lambda offset=None: self(inputs, embedding_offset=offset, training=True),
            loss_of=loss_of,
            gradient_of=_gradient,
            embedding_shape=(shape[0], shape[1], self.encoder.hidden),
            padding_mask=ops.not_equal(token_ids, self.pad_id),
        )


def _gradient(function, at):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(at)
        value = function(at)
    return tape.gradient(value, at)
