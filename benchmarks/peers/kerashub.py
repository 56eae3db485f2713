"""KerasHub's BertTextClassifier, trained by `fit`.

Variants:

- `max_length`: with its own preprocessor, which pads every review to that length
- `batch`: this script pads the ids to the longest of each batch, which KerasHub can't do

Keras decides about XLA (`auto`), and compiles with it on a CPU; variants ending in `_graph` don't
use it. Needs keras-hub 0.32 and tensorflow 2.21.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_hub
import numpy as np
import tensorflow as tf
from turns import Turns, given, reviews


def _model(asked, preprocessor, vocabulary_size):
    if asked["checkpoint"]:
        backbone = keras_hub.models.BertBackbone.from_preset(asked["checkpoint"])
    else:
        backbone = keras_hub.models.BertBackbone(
            vocabulary_size=vocabulary_size,
            num_layers=asked["layers"],
            num_heads=asked["heads"],
            hidden_dim=asked["hidden"],
            intermediate_dim=4 * asked["hidden"],
            max_sequence_length=512,
        )
    return keras_hub.models.BertTextClassifier(
        backbone, num_classes=2, preprocessor=preprocessor, dropout=0.1
    )


def main() -> None:
    asked = given()
    turns, padding = Turns(asked["steps"]), asked["variant"].removesuffix("_graph")
    texts, labels = reviews(asked["reviews"])
    tokenizer = keras_hub.tokenizers.BertTokenizer(asked["vocabulary"], lowercase=True)
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        tokenizer, sequence_length=asked["max_length"]
    )
    own = preprocessor if padding == "max_length" else None
    model = _model(asked, own, tokenizer.vocabulary_size())
    ids = preprocessor(texts)
    lengths = np.asarray(ids["padding_mask"]).sum(axis=1)
    ids = {name: np.asarray(value) for name, value in ids.items()}

    def batches():
        rng, size = np.random.default_rng(0), asked["batch_size"]
        while True:
            order = rng.permutation(len(texts))
            for start in range(0, len(order) - size + 1, size):
                rows = order[start : start + size]
                longest = asked["max_length"] if own else int(lengths[rows].max())
                turns.add_batch(lengths[rows].tolist(), computed=size * longest)
                cut = {name: value[rows, :longest] for name, value in ids.items()}
                inputs = np.array(texts, object)[rows] if own else cut
                yield inputs, np.array(labels)[rows]

    size = asked["batch_size"]
    cut = {name: tf.TensorSpec((size, None), value.dtype) for name, value in ids.items()}
    inputs = tf.TensorSpec((size,), tf.string) if own else cut
    signature = (inputs, tf.TensorSpec((size,), tf.int64))
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)
    schedule = keras.optimizers.schedules.PolynomialDecay(5e-5, 32_000, end_learning_rate=0.0)
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.01, global_clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False if asked["variant"].endswith("_graph") else "auto",
    )
    step_done = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: turns.step_done()
    )
    model.fit(dataset, steps_per_epoch=10**6, epochs=1, verbose=0, callbacks=[step_done])


if __name__ == "__main__":
    main()
