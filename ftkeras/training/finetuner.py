import keras
from keras import ops


class FineTuner(keras.Model):
    """An encoder with a head: token ids to logits.

    Args:
        encoder: token_ids, padding_mask, segment_ids -> features.
        head: features, padding_mask -> logits.
        pad_id: the id of [PAD]. A text never holds it, so padding is wherever it stands.

    Call: {"token_ids"} or {"token_ids", "segment_ids"}, int32 [batch, length] -> logits
        [batch, classes].
    """

    def __init__(self, *, encoder, head, pad_id: int, **kwargs):
        super().__init__(name="fine_tuner", **kwargs)
        self.encoder, self.head, self.pad_id = encoder, head, pad_id

    def call(self, inputs, training=False):
        token_ids = inputs["token_ids"]
        padding_mask = ops.not_equal(token_ids, self.pad_id)
        features = self.encoder(
            token_ids,
            padding_mask=padding_mask,
            segment_ids=inputs.get("segment_ids"),
            training=training,
        )
        return self.head(features, padding_mask, training=training)
