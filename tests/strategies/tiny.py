"""A small model, texts of different lengths, and complete runs on any devices."""

import dataclasses
import functools
from dataclasses import dataclass, field

import keras
import numpy as np

from ftkeras import catalog
from ftkeras.data.examples import Examples
from ftkeras.data.feed import OrderedFeed, TrainingFeed
from ftkeras.data.poisson import PoissonSampling
from ftkeras.encoders.bert import Bert
from ftkeras.experiment import optimization
from ftkeras.heads.classification import Classification
from ftkeras.privacy import Sampling
from ftkeras.privacy.dp_sgd import DPSGD
from ftkeras.regularizers import Step
from ftkeras.strategies import Devices
from ftkeras.support.layer_hooks import LayerHooks
from ftkeras.training import epochs
from ftkeras.training.finetuner import FineTuner
from ftkeras.training.sharding import shard

CLASSES = 3


def examples(count: int, *, seed: int = 0, longest: int = 8) -> Examples:
    """Return `count` texts of 2 to `longest` tokens."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, longest + 1, count)
    ids = rng.integers(1, 20, lengths.sum()).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Examples(
        token_ids=ids,
        offsets=offsets,
        second_starts=lengths.astype(np.int32),
        stored_targets=rng.integers(0, CLASSES, count).astype(np.int64),
        stored_digests=np.arange(count, dtype=np.uint64),
        rows=np.arange(count),
        name="train",
        pairs=False,
    )


@dataclass(frozen=True)
class Setting:
    """The settings of a run. `batch` is over all replicas; 13 examples are no multiple of it."""

    optimizer: str = "adamw"
    clip_norm: float = 0.05  # below every gradient's norm
    accumulate: int = 1
    average: str | None = None
    policy: tuple[str, ...] = ()
    regularizer: tuple[str, ...] = ()
    weights: tuple[float, ...] | None = None
    batching: str = "padded"
    layers: int = 2
    vocabulary: int = 20
    batch: int = 5
    dropout: float = 0.0
    remat: bool = False
    precision: str = "float32"
    scales_loss: bool = False
    epochs: int = 1
    rate: float = 0.001
    schedule: str | None = None  # that starts at `rate`; None for a constant rate
    private: float | None = None  # the noise
    compress: str | None = None  # what gradients are rounded to on their way
    measured: bool = False  # on a split of its own, after each epoch, and all of it predicted


@dataclass
class Outcome:
    """The outcome of a run: weights by path, the last epoch's metrics, logits of all examples."""

    weights: dict[str, np.ndarray]
    figures: dict[str, float]
    logits: np.ndarray
    steps: list[float] = field(default_factory=list)


class _Figures(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.steps, self.last = [], {}

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(float(logs["loss"]))

    def on_epoch_end(self, epoch, logs=None):
        self.last = {name: float(value) for name, value in logs.items()}


def model(setting: Setting) -> FineTuner:
    """Build the model, with weights that are all different."""
    made = FineTuner(
        encoder=Bert(
            vocabulary_size=setting.vocabulary,
            layers=setting.layers,
            hidden=8,
            heads=2,
            positions=8,
            seed=2,
            dropout=setting.dropout,
            attention_dropout=setting.dropout,
            dtype=setting.precision,
            hooks=LayerHooks(recompute=setting.remat),
        ),
        head=Classification(
            classes=CLASSES, dropout=setting.dropout, seed=1, dtype=setting.precision
        ),
        pad_id=0,
        make_step=Step,
        extra_metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        regularizers=[catalog.build("regularizer", s, seed=5) for s in setting.regularizer],
    )
    noise = np.random.default_rng(3)
    for variable in made.weights:
        if variable.dtype == "float32":
            variable.assign_add(noise.normal(size=variable.shape, scale=0.1))
    return made


def compiled(setting: Setting) -> tuple[FineTuner, list]:
    """Return the model, ready for `fit`, and its policies."""
    made = model(setting)
    policies = [catalog.build("policy", spec, seed=4) for spec in setting.policy]
    for act in ("prepare", "check"):
        for policy in policies:
            getattr(policy, act)(made)
    for regularizer in made.regularizers:
        regularizer.attach(made)
    optimizer = catalog.build(
        "optimizer",
        setting.optimizer,
        learning_rate=_rate(setting),
        clip_norm=setting.clip_norm,
        loss_scaling=setting.scales_loss,
    )
    loss = catalog.build("loss", "cross_entropy")
    made.compile(
        optimizer=optimizer,
        loss=loss,
        accumulate=setting.accumulate,
        private=_mechanism(setting),
        jit_compile=False,
        auto_scale_loss=False,
    )
    made.optimizer.build(made.trainable_variables)
    return made, policies


def run(setting: Setting, devices: Devices | None = None, callbacks=()) -> Outcome:
    """Train, evaluate and predict."""
    devices = devices or Devices()
    exchange = dataclasses.replace(devices.exchange, dtype=setting.compress)
    devices = dataclasses.replace(devices, exchange=exchange)
    keras.utils.set_random_seed(1)
    with devices.scope():
        made, policies = compiled(setting)
    batching = _batching(setting.batching, setting.batch, setting.accumulate * devices.replicas)
    train, weights = examples(13), None
    if setting.weights is not None:
        weights = np.array(setting.weights, np.float32)[train.targets]
    sampling = None
    if setting.private is not None:
        run = _sampled(setting)
        samples = {"rate": run.rate, "batches": 3, "seed": (1, 2)}
        sampling = PoissonSampling(np.ones(13, int), **samples, replicas=devices.replicas)
    feed = TrainingFeed(train, batching, seed=0, weights=weights, sampling=sampling)
    figures = _Figures()
    averages = [setting.average] if setting.average else []
    epochs.fit(
        made,
        feed,
        epochs=setting.epochs,
        validation=OrderedFeed(examples(11, seed=1), batching) if setting.measured else None,
        callbacks=[
            figures,
            *(c for policy in policies for c in policy.callbacks(made)),
            *(optimization.schedule_callbacks(made.optimizer.schedule) if setting.schedule else ()),
            *(catalog.build("average", spec, epochs=setting.epochs) for spec in averages),
            *callbacks,
        ],
    )
    return Outcome(
        _weights(made),
        figures.last,
        predicted(made, devices, setting) if setting.measured else np.zeros(0),
        figures.steps,
    )


@functools.cache
def two_replicas() -> Devices:
    """Return two logical devices of the CPU."""
    return catalog.build("strategy", "mirrored(logical_devices=2)").open()


def _sampled(setting: Setting) -> Sampling:
    return Sampling(examples=13, batch_size=setting.batch, steps=3 * setting.epochs, key=b"key")


def _rate(setting: Setting):
    if setting.schedule is None:
        return setting.rate
    return catalog.build("schedule", setting.schedule, peak=setting.rate, total_steps=100, warmup=0)


def _mechanism(setting: Setting) -> DPSGD | None:
    if setting.private is None:
        return None
    return DPSGD(noise=setting.private, clip=0.05, delta=1e-3, sampling=_sampled(setting))


def _batching(spec: str, batch: int, parts: int):
    sizes = {"batch_size": batch, "batch_tokens": None, "max_length": 8}
    return catalog.build("batching", spec, **sizes, pad_id=0, parts=parts, row_parts=())


def predicted(made: FineTuner, devices: Devices, setting: Setting) -> np.ndarray:
    """Return the logits of 11 examples, 3 in each batch, in the order of the examples."""
    feed = OrderedFeed(examples(11, seed=1), _batching(setting.batching, 3, 1))
    held = shard(devices.strategy, feed.dataset)
    return feed.in_example_order(made.predict(held.dataset, steps=held.steps))


def assert_equal(one: Outcome, other: Outcome, *, within: float = 1e-5) -> None:
    """Compare weights to `within` of each variable's largest value; metrics and logits too."""
    assert one.weights.keys() == other.weights.keys()
    for path, expected in other.weights.items():
        scale = np.abs(expected).max()
        np.testing.assert_allclose(
            one.weights[path], expected, rtol=0, atol=within * scale, err_msg=path
        )
    assert one.figures.keys() == other.figures.keys()
    for name, figure in other.figures.items():
        np.testing.assert_allclose(one.figures[name], figure, rtol=within, err_msg=name)
    np.testing.assert_allclose(one.steps, other.steps, rtol=within)
    np.testing.assert_allclose(one.logits, other.logits, rtol=1e-4, atol=1e-5)


def _weights(made: FineTuner) -> dict[str, np.ndarray]:
    """Return the weights by path, without the keys' bias.

    The softmax cancels that bias, so its gradient is rounding alone, which some optimizers scale up
    to a whole step.
    """
    weights = {v.path: v.numpy() for v in made.weights if v.dtype == "float32"}
    for path in weights:
        if path.endswith("qkv_bias"):
            query, _, value = np.split(weights[path], 3)
            weights[path] = np.concatenate([query, value])
    return weights
