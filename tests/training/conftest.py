"""A model of one weight, and batches to train it on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.data import token_store
from ftkeras.data.batching.padded import Padded
from ftkeras.data.feed import TrainingFeed
from ftkeras.optimizers.adamw import AdamW


class Scale(keras.Model):
    """Multiply the first token id by the only weight, and record the labels of each step."""

    def __init__(self):
        super().__init__(name="scale")
        self.weight = self.add_weight(shape=(), initializer="ones", name="weight")
        self.seen = []

    def call(self, inputs):
        return tf.cast(inputs["token_ids"][:, :1], tf.float32) * self.weight

    def train_step(self, data):
        inputs, answers = data
        labels = answers["targets"]
        tf.py_function(lambda labels: self.seen.append(labels.numpy().tolist()), [labels], [])
        return super().train_step((inputs, labels))

    def test_step(self, data):
        inputs, answers = data
        return super().test_step((inputs, answers["targets"]))


@pytest.fixture
def model():
    model = Scale()
    model.compile(optimizer=AdamW(learning_rate=0.1), loss="mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture
def feed(tmp_path):
    def one_token(texts, pairs=None):
        return {"token_ids": tf.RaggedTensor.from_tensor(tf.ones([tf.size(texts), 1], tf.int32))}

    dataset = tf.data.Dataset.from_tensor_slices({"text": [b"x"] * 64, "label": np.arange(64)})
    examples = token_store.write(dataset, one_token, tmp_path, name="train")
    return TrainingFeed(examples, Padded(batch_size=16, pad_id=0), seed=0)
