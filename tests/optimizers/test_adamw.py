import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.optimizers.adamw import AdamW
from ftkeras.schedules.linear import Linear

RATE, DECAY, EPSILON = 0.01, 0.1, 1e-3
SHAPES = {"layer/kernel": (3, 4), "layer/bias": (4,), "norm/scale": (4,), "table": (6, 2)}


def _variables():
    rng = np.random.default_rng(0)
    made = []
    for path, shape in SHAPES.items():
        *scopes, name = path.split("/")
        with keras.name_scope("/".join(scopes) or "model"):
            value = rng.normal(size=shape).astype("float32")
            made.append(keras.Variable(value, name=name))
    return made


def _gradients(step: int):
    rng = np.random.default_rng(step + 1)
    return [rng.normal(size=shape).astype("float32") for shape in SHAPES.values()]


def _reference(steps: int, *, bias_correction=True, clip=None, rate=lambda t: RATE):
    """Loshchilov and Hutter's algorithm 2 in float64, bias and norm left out of the decay."""
    weights = [v.numpy().astype(float) for v in _variables()]
    first, second = [0 * w for w in weights], [0 * w for w in weights]
    for t in range(1, steps + 1):
        grads = [g.astype(float) for g in _gradients(t - 1)]
        norm = np.sqrt(sum((g**2).sum() for g in grads))
        for i, (path, g) in enumerate(zip(SHAPES, grads, strict=True)):
            g = g * min(1, clip / norm) if clip else g
            first[i] = 0.9 * first[i] + 0.1 * g
            second[i] = 0.999 * second[i] + 0.001 * g**2
            m, v = first[i], second[i]
            if bias_correction:
                m, v = m / (1 - 0.9**t), v / (1 - 0.999**t)
            decay = 0 if "bias" in path or "norm" in path else DECAY
            weights[i] -= rate(t - 1) * (m / (np.sqrt(v) + EPSILON) + decay * weights[i])
    return weights


def _optimizer(**keys):
    defaults = {"learning_rate": RATE, "decay": DECAY, "epsilon": EPSILON, "clip_norm": 0.0}
    return AdamW(**{**defaults, **keys})


def _run(optimizer, steps: int):
    variables = _variables()

    @tf.function
    def apply(*grads):
        optimizer.apply_gradients(zip(grads, variables, strict=True))

    optimizer.build(variables)
    for step in range(steps):
        apply(*[tf.constant(g) for g in _gradients(step)])
    return [v.numpy() for v in variables]


def _assert_close(actual, expected):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("bias_correction", [True, False])
def test_ten_steps_equal_the_algorithm(bias_correction):
    optimizer = _optimizer(bias_correction=bias_correction)
    _assert_close(_run(optimizer, 10), _reference(10, bias_correction=bias_correction))


def test_clip_is_by_one_norm_over_all_variables():
    _assert_close(_run(_optimizer(clip_norm=0.5), 5), _reference(5, clip=0.5))


def test_decay_and_step_take_the_schedules_rate():
    schedule = Linear(peak=RATE, total_steps=8)
    _assert_close(
        _run(_optimizer(learning_rate=schedule), 6),
        _reference(6, rate=lambda t: RATE * (1 - t / 8)),
    )


def test_rate_of_last_update_is_that_of_the_schedule():
    optimizer = _optimizer(learning_rate=Linear(peak=RATE, total_steps=8))
    _run(optimizer, 3)
    assert float(optimizer.rate_of_last_update()) == pytest.approx(RATE * (1 - 2 / 8))


def test_rows_looked_up_twice_are_added_before_the_norm_is_taken():
    table = keras.Variable(np.zeros((3, 2), "float32"), name="table")
    optimizer = AdamW(
        learning_rate=1.0, clip_norm=1.0, decay=0.0, beta_1=0.0, beta_2=0.0, epsilon=1e6
    )
    optimizer.build([table])
    slices = tf.IndexedSlices(tf.ones((2, 2)), tf.constant([1, 1]), tf.constant([3, 2]))
    optimizer.apply_gradients([(slices, table)])
    # The real gradient is (2, 2) in row 1, of norm sqrt(8); at this epsilon a step is g / 1e6.
    expected = -1e-6 * np.array([[0, 0], [2, 2], [0, 0]]) / np.sqrt(8)
    np.testing.assert_allclose(table.numpy(), expected, rtol=1e-4)


def test_two_replicas_take_the_step_of_one():
    devices = tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        pytest.skip("TensorFlow was started with one logical CPU")
    strategy = tf.distribute.MirroredStrategy([d.name for d in devices[:2]])
    with strategy.scope():
        variables = _variables()
        optimizer = _optimizer(clip_norm=0.5)
        optimizer.build(variables)

    @tf.function
    def step(*grads):
        def replica(*grads):
            half = [g / 2 for g in grads]
            optimizer.apply_gradients(zip(half, variables, strict=True))

        strategy.run(replica, args=grads)

    for number in range(5):
        step(*[tf.constant(g) for g in _gradients(number)])
    _assert_close([v.numpy() for v in variables], _reference(5, clip=0.5))
