import keras
from keras import ops

from ftkeras.support.seeds import ReplicaSeedGenerator

POOLINGS = ("pooled", "cls", "mean")


@keras.saving.register_keras_serializable(package="ftkeras")
class Classification(keras.layers.Layer):
    """Dropout and one dense layer on a vector of the whole text.

    logits = dropout(vector) · kernel + bias

    where the vector is the encoder's pooler output (`pooled`), the last hidden state of [CLS]
    (`cls`), or the mean of the last hidden states of all real tokens (`mean`).
    Source: Devlin et al., 2019, section 4.1, https://arxiv.org/abs/1810.04805.

    Args:
        classes: number of classes; at least 2.
        dropout: share of the vector dropped in training; at least 0, below 1.
        pooling: pooled, cls or mean.
        seed: of the new kernel and of the dropout.

    Call: features, padding_mask [batch, length] -> logits [batch, classes]; where the features are
        of rows of several texts, which have "membership", [batch * texts, classes]; they may hold
        "vector" alone, what `text_vectors` gave, [batch, hidden].

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(
        self,
        *,
        classes: int,
        dropout: float = 0.1,
        pooling: str = "pooled",
        seed: int | None = None,
        name: str = "head",
        **kwargs,
    ):
        if classes < 2:
            raise ValueError(f"`classes` must be at least 2. Received: {classes}.")
        if not 0 <= dropout < 1:
            raise ValueError(f"`dropout` must be at least 0 and below 1. Received: {dropout}.")
        if pooling not in POOLINGS:
            raise ValueError(
                f"`pooling` must be one of {', '.join(POOLINGS)}. Received: {pooling}."
            )
        super().__init__(name=name, **kwargs)
        self.classes, self.dropout, self.pooling, self.seed = classes, dropout, pooling, seed
        self.seed_generator = ReplicaSeedGenerator(seed)

    @property
    def needs_pooler(self) -> bool:
        """Whether the encoder must have its pooler."""
        return self.pooling == "pooled"

    @property
    def needs_every_token(self) -> bool:
        """Whether it reads other tokens' states than a text's first."""
        return self.pooling == "mean"

    def build(self, features_shape, padding_mask_shape=None):
        hidden = features_shape["first"][-1]
        initializer = keras.initializers.TruncatedNormal(stddev=0.02, seed=self.seed)
        self.kernel = self.add_weight(
            shape=(hidden, self.classes), initializer=initializer, name="kernel"
        )
        self.bias = self.add_weight(shape=(self.classes,), initializer="zeros", name="bias")

    def call(self, features, padding_mask, training=False):
        pooled = self.needs_pooler
        vector = features["pooled"] if pooled else self.text_vectors(features, padding_mask)
        if training and self.dropout > 0:
            vector = keras.random.dropout(vector, self.dropout, seed=self.seed_generator)
        return ops.matmul(vector, self.kernel) + self.bias

    def text_vectors(self, features, padding_mask):
        """What is read of each text, below the pooler where there is one: [texts, hidden]."""
        if "vector" in features:
            return features["vector"]
        if not self.needs_every_token:
            return features["first"]
        sequence = features["sequence"]
        weights = ops.cast(features.get("membership", padding_mask[:, None]), sequence.dtype)
        counts = ops.maximum(ops.sum(weights, axis=-1, keepdims=True), 1)
        return ops.reshape(ops.matmul(weights, sequence) / counts, (-1, sequence.shape[-1]))

    def get_config(self):
        own = {key: getattr(self, key) for key in ("classes", "dropout", "pooling", "seed")}
        return {**super().get_config(), **own}
