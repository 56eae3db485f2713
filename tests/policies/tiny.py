"""A model of three layers, and a few training steps with policies."""

import keras
import numpy as np
import tensorflow as tf

from ftkeras import catalog
from ftkeras.encoders.bert import Bert
from ftkeras.heads.classification import Classification
from ftkeras.optimizers.adamw import AdamW
from ftkeras.policies import check_together
from ftkeras.training.finetuner import FineTuner

RNG = np.random.default_rng(0)
TOKEN_IDS = RNG.integers(1, 20, (8, 6)).astype("int32")
TOKEN_IDS[::2, 4:] = 0
INPUTS = {
    "token_ids": TOKEN_IDS,
    "segment_ids": (np.arange(6) > 2).astype("int32") * (TOKEN_IDS > 0),
}
LABELS = (TOKEN_IDS[:, 0] % 2).astype("int32")


def model(*, pooling="pooled", **settings) -> FineTuner:
    """Return a model whose weights all differ, biases and scales too."""
    head = Classification(classes=2, pooling=pooling, seed=1)
    sizes = {"vocabulary_size": 20, "layers": 3, "hidden": 8, "heads": 2, "positions": 6}
    encoder = Bert(**{**sizes, "pooler": head.needs_pooler, "seed": 2, **settings})
    made = FineTuner(encoder=encoder, head=head, pad_id=0)
    made({"token_ids": TOKEN_IDS[:1]})
    noise = np.random.default_rng(3)
    for variable in made.weights:
        variable.assign_add(noise.normal(size=variable.shape, scale=0.1))
    return made


def prepared(made: FineTuner, *specs: str) -> list:
    """Build policies and let them prepare the model, as a run does."""
    policies = [catalog.build("policy", spec, seed=4) for spec in specs]
    check_together(policies)
    for policy in policies:
        policy.prepare(made)
    for policy in policies:
        policy.check(made)
    return policies


def compiled(made: FineTuner, policies: list, *, eagerly=True, rate=0.01, **settings) -> None:
    """Compile the model with AdamW and the policies' learning rates."""
    rates = [pair for policy in policies for pair in policy.multipliers(made)]
    made.compile(
        optimizer=AdamW(learning_rate=rate, multipliers=rates, **settings),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=eagerly,
        jit_compile=False,
    )
    made.optimizer.build(made.trainable_variables)


def train(made: FineTuner, policies: list, *callbacks, steps=3, epochs=1, initial_epoch=0) -> None:
    """Train a few steps in each epoch, each on all examples."""
    made.fit(
        tf.data.Dataset.from_tensors((INPUTS, LABELS)).repeat(steps),
        epochs=epochs,
        initial_epoch=initial_epoch,
        verbose=0,
        shuffle=False,
        callbacks=[*(c for policy in policies for c in policy.callbacks(made)), *callbacks],
    )


def values(made: FineTuner) -> dict[str, np.ndarray]:
    """Return every weight by its path."""
    return {variable.path: variable.numpy().copy() for variable in made.weights}


def changed(before: dict, after: dict) -> set[str]:
    """Return the paths whose bits differ."""
    return {path for path in before if before[path].tobytes() != after[path].tobytes()}


def logits(made: FineTuner) -> np.ndarray:
    """Return the logits of all examples, as in validation."""
    return keras.ops.convert_to_numpy(made(INPUTS, training=False))
