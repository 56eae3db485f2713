"""Differentially private stochastic gradient descent."""

import functools
import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from ftkeras.privacy import _accounting
from ftkeras.privacy._sampling import Sampling, secret_numbers
from ftkeras.support import bounds
from ftkeras.support.indexed_slices import merge_rows

Tensor = Any
ACCOUNTANTS = ("pld", "rdp")


class DPSGD:
    """Limit the effect of each example on a step, and hide it in Gaussian noise.

    g = (Σ_i g_i min(1, clip / ||g_i||) + N(0, (noise clip)² I)) / B

    The sum is over the examples of a step. Each example is sampled independently with the same
    probability. B is the expected number of examples, not the number that was sampled. ||g_i|| is
    the norm of an example's gradient over all variables that train.

    Whatever the optimizer does with g, the weights are (epsilon, delta)-differentially private: for
    any two data sets, one of which lacks one example of the other, and any set W of weights,

    P(weights in W) <= e^epsilon P'(weights in W) + delta.

    If you give `noise`, the run reports epsilon. If you give `epsilon`, the run finds the noise for
    its steps. The noise and the samples come from a secret key, which the run deletes when it is
    finished. An example whose gradient is not finite adds nothing.

    Source: Abadi et al., 2016, https://arxiv.org/abs/1607.00133.

    Args:
        delta: the probability of a larger loss of privacy; above 0, below 1. It should be well
            below 1 / examples.
        noise: the standard deviation of the noise, as a multiple of `clip`; at least 0, where 0
            means that nothing is private.
        epsilon: the privacy budget of the whole run, with `delta`; positive, at most 1000.
        clip: the largest norm of the gradient of an example; positive.
        accountant: the method that adds up the steps: pld (privacy loss distributions, tight) or
            rdp (Rényi differential privacy).
        public_validation: whether nothing in the validation split is private. Only then may it
            select an epoch, stop training, or choose thresholds and a temperature.
        seed: makes noise and samples repeatable, for tests; then nothing is private.
        sampling: the sampling of the run; None to check only the arguments.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> DPSGD(noise=1.0, delta=1e-5).clip
    1.0
    """

    def __init__(
        self,
        *,
        delta: float,
        noise: float | None = None,
        epsilon: float | None = None,
        clip: float = 1.0,
        accountant: str = "pld",
        public_validation: bool = False,
        seed: int | None = None,
        sampling: Sampling | None = None,
    ):
        bounds.positive_share(delta=delta)
        bounds.positive(clip=clip)
        bounds.choice(ACCOUNTANTS, accountant=accountant)
        bounds.boolean(public_validation=public_validation)
        if (noise is None) == (epsilon is None):
            raise ValueError(
                "needs either `noise` or `epsilon`, not both. "
                f"Received: noise={noise} and epsilon={epsilon}."
            )
        if noise is not None:
            bounds.not_negative(noise=noise)
        if epsilon is not None:
            bounds.positive(epsilon=epsilon)
            if epsilon > _accounting.LARGEST:
                raise ValueError(
                    f"`epsilon` must be at most {_accounting.LARGEST:g}; larger ones guarantee "
                    f"nothing of use. Received: {epsilon}."
                )
        if seed is not None:
            bounds.integer(0, seed=seed)
        self.delta, self.clip, self.accountant = delta, float(clip), accountant
        self.public_validation, self.seed, self.sampling = public_validation, seed, sampling
        self._given_noise = 0.0 if noise is None else float(noise)
        self._epsilon = None if epsilon is None else float(epsilon)

    @functools.cached_property
    def noise(self) -> float:
        """The standard deviation of the noise, as a multiple of `clip`."""
        if self._epsilon is None:
            return self._given_noise
        run = self._run
        return _accounting.noise_for(
            self._epsilon, run.rate, run.steps, self.delta, self.accountant
        )

    def add(self, sums: Sequence[Tensor], gradients: Sequence[Any]) -> list[Tensor]:
        """Return sums of gradients to which those of one example are added, clipped.

        Args:
            sums: dense, one for each variable.
            gradients: of one example; those of embeddings may be IndexedSlices.
        """
        merged = [merge_rows(gradient) for gradient in gradients]
        norm = tf.linalg.global_norm([_values(gradient) for gradient in merged])
        factor = self.clip / tf.maximum(norm, self.clip)
        factor = tf.where(tf.math.is_finite(norm), factor, 0.0)
        added = []
        for total, gradient in zip(sums, merged, strict=True):
            # 0 where the factor is, also if the values are not finite.
            scaled = tf.math.multiply_no_nan(_values(gradient), factor)
            if isinstance(gradient, tf.IndexedSlices):
                rows = gradient.indices[:, None]
                added.append(tf.tensor_scatter_nd_add(total, rows, scaled))
            else:
                added.append(total + scaled)
        return added

    def release(self, sums: Sequence[Tensor], step: Tensor) -> list[Tensor]:
        """Return the gradients of a step, with noise.

        Of several replicas, whose sums the optimizer adds up, the first adds the noise.

        Args:
            sums: of the clipped gradients of this replica's examples.
            step: the number of updates before this one, integer scalar ().
        """
        run, spread = self._run, self.noise * self.clip
        seed: Any = tf.constant(secret_numbers(run.key, "noise"), tf.int64)
        seed = tf.random.fold_in(seed, tf.cast(step, tf.int64))
        spread = spread * _is_first_replica()
        released = []
        for number, total in enumerate(sums):
            own: Any = tf.random.fold_in(seed, number)
            noise = tf.random.stateless_normal(tf.shape(total), own, dtype=total.dtype)
            released.append((total + spread * noise) / run.expected)
        return released

    def report(self, steps: int) -> dict[str, Any]:
        """Return the guarantee after so many steps, as metrics.json has it.

        An epsilon of None means that there is none, or one above 1000.
        """
        run = self._run
        costs = {
            name: _accounting.epsilon(self.noise, run.rate, steps, self.delta, name)
            for name in dict.fromkeys((self.accountant, "rdp"))
        }
        finite = {n: cost if cost < _accounting.LARGEST else None for n, cost in costs.items()}
        return {
            "mechanism": "dp_sgd",
            "epsilon": finite[self.accountant],
            "delta": self.delta,
            "accountant": self.accountant,
            "accounted_by": _accounting.package(),
            "epsilon_rdp": finite["rdp"],
            "noise": self.noise,
            "clip": self.clip,
            "sampling": "poisson",
            "sampling_rate": run.rate,
            "steps": steps,
            "examples": run.examples,
            "neighbours": "add or remove one example",
            "secret": self.seed is None,
            "public_validation": self.public_validation,
        }

    def describe(self) -> str:
        """Return a line about the mechanism and its guarantee."""
        run = self._run
        cost = _accounting.epsilon(self.noise, run.rate, run.steps, self.delta, self.accountant)
        whole = f"epsilon {cost:.3g}" if math.isfinite(cost) else "no privacy"
        return (
            f"noise {self.noise:.4g}, clip {self.clip:g}, {run.steps:,} steps that sample each of "
            f"{run.examples:,} examples with probability {run.rate:.3g}: {whole} at delta "
            f"{self.delta:g} ({self.accountant}, {_accounting.package()})"
        )

    @property
    def _run(self) -> Sampling:
        if self.sampling is None:
            raise ValueError("`sampling` is needed to train.")
        return self.sampling


def _is_first_replica() -> Any:
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return 1.0
    return tf.cast(tf.equal(context.replica_id_in_sync_group, 0), tf.float32)


def _values(gradient: Any) -> Tensor:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
