"""Steps of optimizers by the formulas of their papers, in float64, and functions to run both.

A step takes a variable's state (a dict, empty at first), its value, gradient and path, the count t
from 1, and the learning rate and decay of this variable. It returns the new value.
"""

import re

import keras
import numpy as np
import tensorflow as tf

from ftkeras import catalog

RATE, DECAY = 0.01, 0.1
SHAPES = {
    "encoder/kernel": (3, 4),
    "encoder/bias": (4,),
    "encoder/norm_scale": (4,),
    "encoder/output_kernel": (5, 3),
    "embeddings/token_embedding": (6, 2),
    "head/kernel": (4, 3),
}


def adamw(state, w, g, path, t, rate, decay, *, epsilon=1e-8, bias_correction=True):
    """Loshchilov and Hutter, 2019, algorithm 2."""
    m, v = _moments(state, g, t, bias_correction)
    return w - rate * (m / (np.sqrt(v) + epsilon) + decay * w)


def lamb(state, w, g, path, t, rate, decay, *, epsilon=1e-6):
    """You et al., 2020, algorithm 2."""
    m, v = _moments(state, g, t, True)
    u = m / (np.sqrt(v) + epsilon) + decay * w
    return w - rate * np.linalg.norm(w) / np.linalg.norm(u) * u


def _moments(state, g, t, corrected):
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    v = state["v"] = 0.999 * state.get("v", 0) + 0.001 * g**2
    return (m / (1 - 0.9**t), v / (1 - 0.999**t)) if corrected else (m, v)


def lion(state, w, g, path, t, rate, decay):
    """Chen et al., 2023, algorithm 2."""
    m = state.get("m", 0 * g)
    state["m"] = 0.99 * m + 0.01 * g
    return w - rate * (np.sign(0.9 * m + 0.1 * g) + decay * w)


def sgd(state, w, g, path, t, rate, decay, *, momentum=0.9, nesterov=False):
    """Sutskever et al., 2013, section 2; Nesterov's as Bengio et al., 2013, equation 7."""
    u = state["u"] = momentum * state.get("u", 0) - rate * g
    return w - rate * decay * w + (momentum * u - rate * g if nesterov else u)


def rmsprop(state, w, g, path, t, rate, decay, *, momentum=0.0, centered=False):
    """Tieleman and Hinton, 2012; centered: Graves, 2013, equations 38 to 41."""
    v = state["v"] = 0.9 * state.get("v", 0) + 0.1 * g**2
    mean = state["mean"] = 0.9 * state.get("mean", 0) + 0.1 * g
    root = np.sqrt(v - centered * mean**2 + 1e-7)
    u = state["u"] = momentum * state.get("u", 0) + rate * g / root
    return w - rate * decay * w - u


def adafactor(state, w, g, path, t, rate, decay, *, scale_parameter=True):
    """Shazeer and Stern, 2018, algorithms 4 and 5, with the sums that they write."""
    b = 1 - t**-0.8
    squared = g**2 + 1e-30
    if g.ndim == 2:
        r = state["r"] = b * state.get("r", 0) + (1 - b) * squared.sum(axis=1)
        c = state["c"] = b * state.get("c", 0) + (1 - b) * squared.sum(axis=0)
        v = np.outer(r, c) / r.sum()
    else:
        v = state["v"] = b * state.get("v", 0) + (1 - b) * squared
    u = g / np.sqrt(v)
    u = u / max(1, np.sqrt(np.mean(u**2)))
    alpha = rate * (max(1e-3, np.sqrt(np.mean(w**2))) if scale_parameter else 1)
    return w - rate * decay * w - alpha * u


def muon(state, w, g, path, t, rate, decay, *, nesterov=True, adam_where="embedding|head/"):
    """Jordan et al., 2024, with the factor of Liu et al., 2025, equation 4; else Adam."""
    if g.ndim != 2 or (adam_where and re.search(adam_where, path)):
        m, v = _moments(state, g, t, False)
        alpha = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        return w - rate * decay * w - alpha * m / (np.sqrt(v) + 1e-7)
    m = state["m"] = 0.95 * state.get("m", 0) + g
    x = g + 0.95 * m if nesterov else m
    x = x / (np.linalg.norm(x) + 1e-7)
    left, values, right = np.linalg.svd(x, full_matrices=False)
    for _ in range(5):  # the polynomial acts on the singular values only
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    step = 0.2 * np.sqrt(max(w.shape)) * (left * values) @ right
    return w - rate * (step + decay * w)


STEPS = {
    "adafactor": adafactor,
    "adam": adamw,
    "adamw": adamw,
    "lamb": lamb,
    "lion": lion,
    "muon": muon,
    "rmsprop": rmsprop,
    "sgd": sgd,
}


def variables():
    """Create a variable for each path of SHAPES, always with the same values."""
    rng = np.random.default_rng(0)
    made = []
    for path, shape in SHAPES.items():
        scope, name = path.split("/")
        with keras.name_scope(scope):
            value = rng.normal(size=shape).astype("float32")
            made.append(keras.Variable(value, name=name))
    return made


def gradients(step: int):
    """Return the gradients of a step, always the same."""
    rng = np.random.default_rng(step + 1)
    return [rng.normal(size=shape).astype("float32") for shape in SHAPES.values()]


def make(name: str, **keys):
    """Build an optimizer by name; by default without clipping and with decay."""
    defaults = {"learning_rate": RATE, "clip_norm": 0.0, "decay": DECAY}
    return catalog.find("optimizer", name)(**{**defaults, **keys})


def expected(
    name: str, steps: int, *, clip=0.0, rate=lambda t: RATE, decay=DECAY, factors=None, **keys
):
    """Return the variables after `steps`, by the formula. Biases and norms do not decay."""
    weights = [v.numpy().astype(float) for v in variables()]
    states = [{} for _ in weights]
    for t in range(1, steps + 1):
        grads = [g.astype(float) for g in gradients(t - 1)]
        norm = np.sqrt(sum((g**2).sum() for g in grads))
        for i, (path, g) in enumerate(zip(SHAPES, grads, strict=True)):
            own_rate = rate(t - 1) * (factors or {}).get(path, 1.0)
            own_decay = 0 if "bias" in path or "norm" in path else decay
            g = g * min(1, clip / norm) if clip else g
            args = (states[i], weights[i], g, path, t, own_rate, own_decay)
            weights[i] = STEPS[name](*args, **keys)
    return weights


def run(optimizer, steps: int, *, start=0, late=None, of_step=gradients):
    """Return the variables after the optimizer's steps, the first at update `start` of the run.

    The first `late` variables count their own updates from there, by default all of them.
    """
    made = variables()
    _build(optimizer, made, start, late)

    @tf.function
    def apply(*grads):
        optimizer.apply_gradients(zip(grads, made, strict=True))

    for step in range(steps):
        apply(*[tf.constant(g) for g in of_step(step)])
    return [v.numpy() for v in made]


def _build(optimizer, made, start, late):
    optimizer.build(made)
    optimizer.iterations.assign(start)
    optimizer.start_count(made[:late])


def run_on_two_replicas(make_optimizer, steps: int, *, start=0, late=None):
    """Run on two replicas, each with half of every gradient."""
    devices = tf.config.list_logical_devices("CPU")[:2]
    # The collectives of two strategies in one process would interfere with each other.
    strategy = tf.distribute.MirroredStrategy(
        [d.name for d in devices], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    with strategy.scope():
        made, optimizer = variables(), make_optimizer()
        _build(optimizer, made, start, late)

    @tf.function
    def step(*grads):
        def replica(*grads):
            halves = [g / 2 for g in grads]
            optimizer.apply_gradients(zip(halves, made, strict=True))

        strategy.run(replica, args=grads)

    for number in range(steps):
        step(*[tf.constant(g) for g in gradients(number)])
    return [v.numpy() for v in made]


def assert_close(actual, wanted):
    """Compare within float32's rounding, which a Muon step amplifies in its five iterations."""
    for path, one, other in zip(SHAPES, actual, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=4e-6, err_msg=path)
