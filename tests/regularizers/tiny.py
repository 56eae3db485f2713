"""A network small enough for NumPy to compute, and a batch for it."""

import keras
import numpy as np
import tensorflow as tf

from ftkeras.encoders.bert import Bert
from ftkeras.heads.classification import Classification
from ftkeras.optimizers.sgd import SGD
from ftkeras.regularizers import Step
from ftkeras.training.finetuner import FineTuner

RNG = np.random.default_rng(0)
TOKEN_IDS = RNG.integers(1, 20, size=(4, 6)).astype("int32")
TOKEN_IDS[1, 4:] = TOKEN_IDS[2, 1:] = 0
INPUTS = {"token_ids": TOKEN_IDS}
MASK = TOKEN_IDS != 0
LABELS = np.array([0, 2, 1, 0])
HIDDEN = 8


def network(*, layers=1, dropout=0.0, head_dropout=0.0, regularizers=(), **settings) -> FineTuner:
    """Return a network with the same weights each time, too large for it to be nearly linear."""
    keras.utils.set_random_seed(1)
    rates = {"dropout": dropout, "attention_dropout": dropout}
    sizes = {"vocabulary_size": 20, "layers": layers, "hidden": HIDDEN, "heads": 2, "positions": 8}
    model = FineTuner(
        encoder=Bert(**sizes, **rates, seed=1),
        head=Classification(classes=3, dropout=head_dropout, seed=1),
        pad_id=0,
        make_step=Step,
        regularizers=regularizers,
        **settings,
    )
    model(INPUTS)
    rng = np.random.default_rng(2)
    for variable in model.trainable_variables:
        value = np.array(variable) + rng.normal(size=variable.shape) * 0.3
        variable.assign(value)
    return model


def regulated(*regularizers, **settings) -> FineTuner:
    """Return that network with regularizers, compiled with the cross-entropy."""
    model = network(regularizers=regularizers, **settings)
    for regularizer in regularizers:
        regularizer.attach(model)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = SGD(learning_rate=0.01, clip_norm=0.0, momentum=0.0)
    model.compile(optimizer=optimizer, loss=loss, jit_compile=False)
    return model


def training_loss(model: FineTuner):
    """Return the loss of one training step, a tensor."""
    logits = model(INPUTS, training=True)
    return model.compute_loss(INPUTS, LABELS, logits, None, training=True)


def gradients(model: FineTuner, function) -> list[np.ndarray]:
    """Return the gradients of function() for all variables that train; zeros if there are none."""
    with tf.GradientTape() as tape:
        value = function()
    found = tape.gradient(value, [v.value for v in model.trainable_variables])
    pairs = zip(found, model.trainable_variables, strict=True)
    return [np.zeros(v.shape) if g is None else np.array(tf.convert_to_tensor(g)) for g, v in pairs]


def slope(model: FineTuner, function, step=1e-6) -> tuple[float, list[np.ndarray]]:
    """Return the slope of function() along a direction, by differences, and the direction."""
    rng = np.random.default_rng(3)
    before = [np.array(v) for v in model.trainable_variables]
    direction = [rng.normal(size=value.shape) for value in before]

    def at(distance):
        for v, value, way in zip(model.trainable_variables, before, direction, strict=True):
            v.assign(value + distance * way)
        return float(function())

    rise = at(step) - at(-step)
    at(0.0)
    return rise / (2 * step), direction


def along(parts: list[np.ndarray], direction: list[np.ndarray]) -> float:
    """Return the slope along a direction, from gradients."""
    return sum(float(np.sum(g * way)) for g, way in zip(parts, direction, strict=True))


def softmax(logits) -> np.ndarray:
    """Compute softmax in float64."""
    powers = np.exp(np.float64(logits) - np.max(np.float64(logits), axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def losses(logits) -> np.ndarray:
    """Compute cross-entropies in float64, [..., batch, classes] -> [..., batch]."""
    return -np.log(softmax(logits)[..., np.arange(len(LABELS)), LABELS])


def cross_entropy(logits) -> float:
    """Return the mean over the batch."""
    return float(np.mean(losses(logits)))


def divergences(logits, others) -> np.ndarray:
    """Compute KL(P || Q) + KL(Q || P) in float64, [..., batch, classes] -> [..., batch]."""
    p, q = softmax(logits), softmax(others)
    return (p * np.log(p / q) + q * np.log(q / p)).sum(axis=-1)


def divergence(logits, others) -> float:
    """Return the mean over the batch."""
    return float(np.mean(divergences(logits, others)))


def at_offset(model: FineTuner, offset=None) -> np.ndarray:
    """Return logits with an offset on the embeddings, in inference."""
    return np.array(model(INPUTS, embedding_offset=offset))


def example_gradients(model: FineTuner, values_of, at: np.ndarray, step=1e-6) -> np.ndarray:
    """Return each example's gradient of values_of(logits) [batch], by central differences."""
    size = at[0].size
    shifts = step * np.eye(size).reshape(size, 1, *at[0].shape)
    moved = np.concatenate([at + shifts, at - shifts]).reshape(-1, *at[0].shape)
    logits = model({"token_ids": np.tile(TOKEN_IDS, (2 * size, 1))}, embedding_offset=moved)
    up, down = np.split(values_of(np.array(logits).reshape(2 * size, len(at), -1)), 2)
    return ((up - down) / (2 * step)).T.reshape(at.shape)
