"""Train our network on Keras's JAX backend, for a GPU that TensorFlow can't use.

Encoder, head, loss, schedule and batchings are ours. AdamW is Keras's, because ours needs
TensorFlow. Needs JAX, Keras 3.15, tokenizers, safetensors and absl-py, but not TensorFlow.
"""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import tokenizers

from ftkeras.checkpoints import huggingface
from ftkeras.data.batching.bucketed import Bucketed
from ftkeras.data.batching.packed import Packed
from ftkeras.data.batching.padded import Padded
from ftkeras.data.examples import Examples
from ftkeras.encoders.bert import Bert
from ftkeras.heads.classification import Classification
from ftkeras.losses.cross_entropy import CrossEntropy
from ftkeras.schedules import Warmup
from ftkeras.schedules.linear import Linear

PAD_ID = 0


class Classifier(keras.Model):
    """An encoder and its head, with the inputs and logits of `FineTuner`."""

    def __init__(self, encoder: Bert):
        super().__init__()
        self.encoder, self.head = encoder, Classification(classes=2, seed=0)
        self.head.build({"first": (None, encoder.hidden)})
        self.built = True

    def call(self, inputs, training=False):
        token_ids = inputs["token_ids"]
        mask = token_ids != PAD_ID
        features = self.encoder(
            token_ids, mask, starts=inputs.get("starts"), every_token=False, training=training
        )
        return self.head(features, mask, training=training)


class Training:
    """A model's training step, which XLA compiles once for each shape.

    A state is (trainable variables, other variables, optimizer variables). A batch is (inputs,
    labels), with negative labels in rows without an example. A step consumes the state's arrays.

    Args:
        encoder: built with the dtype policy to compute in.
        peak: the highest learning rate, reached after a tenth of the steps; then linear decay to 0.
        steps: number of steps.
    """

    def __init__(self, encoder: Bert, *, peak: float, steps: int):
        self.model, self.loss = Classifier(encoder), CrossEntropy()
        warmup = steps // 10
        rates = Warmup(after=Linear(peak=peak, total_steps=steps - warmup), peak=peak, steps=warmup)
        self.optimizer = keras.optimizers.AdamW(
            rates, weight_decay=0.01, epsilon=1e-8, global_clipnorm=1.0
        )
        self.optimizer.exclude_from_weight_decay(var_names=["bias", "norm"])
        self.optimizer.build(self.model.trainable_variables)
        self.step = jax.jit(self._step, donate_argnums=0)

    def first_state(self):
        """Return the state before the first step."""
        model = self.model
        parts = model.trainable_variables, model.non_trainable_variables, self.optimizer.variables
        return tuple([jnp.array(variable.value) for variable in part] for part in parts)

    def logits(self, state, inputs):
        """Return the logits in inference mode."""
        learning, others, _ = state
        return self.model.stateless_call(learning, others, inputs, training=False)[0]

    def mean_loss(self, logits, labels):
        """Return the mean loss over the rows that contain an example."""
        there = labels >= 0
        losses = self.loss.call(jnp.maximum(labels, 0), logits)
        return jnp.where(there, losses, 0).sum() / jnp.maximum(there.sum(), 1)

    def _step(self, state, batch):
        inputs, labels = batch
        learning, others, moments = state

        def loss_of(learning):
            logits, changed = self.model.stateless_call(learning, others, inputs, training=True)
            return self.mean_loss(logits, labels), changed

        (loss, others), gradients = jax.value_and_grad(loss_of, has_aux=True)(learning)
        learning, moments = self.optimizer.stateless_apply(moments, gradients, learning)
        return (learning, others, moments), loss


def encoder_of(asked: dict, precision: str) -> Bert:
    """Return a checkpoint's encoder, or one of the given size with random weights.

    It computes in `precision`, a Keras dtype policy, and so do all layers built after it.
    """
    keras.config.set_dtype_policy(precision)
    if asked["checkpoint"]:
        encoder = Bert(
            **Bert.settings(huggingface.read_config(asked["checkpoint"])), initial="zeros", seed=0
        )
        encoder.load(huggingface.read_tensors(asked["checkpoint"]))
        return encoder
    lines = pathlib.Path(asked["vocabulary"]).read_text(encoding="utf-8").splitlines()
    sizes = {name: asked[name] for name in ("layers", "hidden", "heads")}
    return Bert(vocabulary_size=len(lines), **sizes, seed=0)


def examples_of(reviews: str, vocabulary: str, max_length: int) -> Examples:
    """Return the reviews of a JSONL file, cut at the end as ftkeras does by default."""
    with open(reviews, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    tokenizer = tokenizers.BertWordPieceTokenizer(str(vocabulary), lowercase=True)
    tokenizer.enable_truncation(max_length)
    ids = [one.ids for one in tokenizer.encode_batch([row["text"] for row in rows])]
    lengths = np.array([len(one) for one in ids])
    return Examples(
        token_ids=np.concatenate(ids).astype(np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        second_starts=lengths,
        stored_targets=np.array([row["label"] for row in rows]),
        stored_digests=np.zeros(len(rows), np.uint64),
        rows=np.arange(len(rows)),
        name="train",
        pairs=False,
    )


def batching_of(name: str, *, batch_size: int, max_length: int, **keys):
    """Return the batching with this name: padded, bucketed or packed. The latter two take keys."""
    sizes = {"batch_size": batch_size, "pad_id": PAD_ID}
    if name == "padded":
        return Padded(**sizes)
    return {"bucketed": Bucketed, "packed": Packed}[name](**sizes, max_length=max_length, **keys)


def batch_of(examples: Examples, batching, positions: np.ndarray, *, rows=0, width=0):
    """Return a batch as (inputs, labels), padded to at least `rows` rows of `width` tokens."""
    inputs = batching.collate(examples, positions)
    labels = np.where(positions >= 0, examples.targets[positions], -1).astype(np.int32)
    ids = inputs["token_ids"]
    missing = max(0, rows - len(ids)), max(0, width - ids.shape[1])
    inputs["token_ids"] = np.pad(ids, [(0, m) for m in missing], constant_values=PAD_ID)
    if labels.ndim == 1:
        labels = np.pad(labels, (0, missing[0]), constant_values=-1)
    return inputs, labels.reshape(-1)


def plan_of(examples: Examples, batching, seed: int, epoch: int) -> list[np.ndarray]:
    """Return the positions of each batch of an epoch, in the order given by (seed, epoch)."""
    order = np.random.default_rng((seed, epoch)).permutation(len(examples))
    return [parts[0] for parts in batching.plan(examples.lengths, order)]
