"""Lowers a training step for TPUs, on Keras's JAX backend: no TPU and no TensorFlow needed.

KERAS_BACKEND=jax python -m tests.strategies.lowered

Prints the platforms and the size of the program.
"""

import keras
import numpy as np

from ftkeras.encoders.bert import Bert
from ftkeras.heads.classification import Classification
from ftkeras.losses.cross_entropy import CrossEntropy

ROWS, LENGTH, TEXTS, CLASSES = 4, 16, 2, 3
RATE = 0.01


def step_of(encoder, head):
    """Return a step (all weights, batch) -> (new weights, loss): SGD with dropout."""
    import jax

    weights = [*encoder.variables, *head.variables]
    learns = np.array([v.trainable for v in weights])

    def loss_of(learning, others, batch):
        learning, others = iter(learning), iter(others)
        values = [next(learning if learnt else others) for learnt in learns]
        with keras.StatelessScope(list(zip(weights, values, strict=True))) as scope:
            ids, starts = batch["token_ids"], batch["starts"]
            mask = keras.ops.not_equal(ids, 0)
            features = encoder(ids, padding_mask=mask, starts=starts, training=True)
            logits = head(features, mask, training=True)
            loss = keras.ops.mean(CrossEntropy().call(batch["labels"], logits))
        return loss, [scope.get_current_value(v) for v in weights]

    def step(values, batch):
        learning = [value for value, learnt in zip(values, learns, strict=True) if learnt]
        others = [value for value, learnt in zip(values, learns, strict=True) if not learnt]
        (loss, after), gradients = jax.value_and_grad(loss_of, has_aux=True)(
            learning, others, batch
        )
        steps = iter(gradients)
        moved = [
            value - RATE * next(steps) if learnt else value
            for value, learnt in zip(after, learns, strict=True)
        ]
        return moved, loss

    return weights, step


def main() -> None:
    import jax
    import jax.export  # late, as above: pytest, which looks for doctests, imports this module

    encoder = Bert(vocabulary_size=20, layers=2, hidden=8, heads=2, positions=LENGTH, seed=1)
    head = Classification(classes=CLASSES, seed=1)
    rng = np.random.default_rng(0)
    batch = {
        "token_ids": rng.integers(1, 20, (ROWS, LENGTH)).astype("int32"),
        "starts": np.array([[0, LENGTH // 2]] * ROWS, "int32"),
        "labels": rng.integers(0, CLASSES, ROWS * TEXTS),
    }
    mask = np.ones((1, LENGTH), bool)
    head(encoder(batch["token_ids"][:1], padding_mask=mask), mask)
    weights, step = step_of(encoder, head)
    values = [v.value for v in weights]
    _, loss = jax.jit(step)(values, batch)
    assert np.isfinite(loss)
    lowered = jax.export.export(jax.jit(step), platforms=["tpu"])(values, batch)
    print(",".join(lowered.platforms), len(lowered.mlir_module()))


if __name__ == "__main__":
    main()
