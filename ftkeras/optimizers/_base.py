"""The base class of the optimizers."""

import collections
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from ftkeras.optimizers._loss_scale import LossScale
from ftkeras.support import bounds, exchange, keras_compat

NO_DECAY = r"bias|norm"
# Keras's default, with which `compile` builds an optimizer from its name. `train` never uses it.
DEFAULT_RATE = 1e-3


@dataclass(frozen=True)
class Group:
    """Variables with the same learning-rate multiplier and decay, and how many there are."""

    multiplier: float
    decays: bool
    variables: int
    parameters: int


class FineTuningOptimizer(keras_compat.Optimizer):
    """The base class of all optimizers: clipping, weight decay and learning-rate multipliers.

    - Gradients are summed over replicas, then clipped by one norm over all variables:
      g <- g * min(1, clip_norm / ||g||). Keras clips each replica's share before the sum, which
      uses another norm. Rows of an embedding that are looked up twice are added before the norm is
      computed.
    - A variable's learning rate is that of the step, times the variable's multiplier.
    - Decay is decoupled and uses that learning rate, w <- w - learning_rate * decay * w. It is
      applied before the step, to variables whose path does not match `no_decay` (Keras matches
      names, and so excludes nothing: keras#16201).
      Source: Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101.

    A subclass implements `update_step(gradient, variable, learning_rate, *scalars)`. A subclass of
    a Keras optimizer inherits it: `class Lion(FineTuningOptimizer, keras.optimizers.Lion)`.

    Args:
        learning_rate: a schedule, or a number of at least 0. The default is Keras's, and too high
            for most pretrained encoders.
        clip_norm: largest global norm of the gradients; at least 0, where 0 means no clipping.
        decay: weight decay; at least 0.
        weight_decay: the name of `decay` in Keras's optimizers; replaces `decay` if it is given.
        no_decay: regular expression on variable paths. Variables that match do not decay. Empty to
            decay all variables.
        multipliers: pairs of a regular expression on variable paths and a factor of the learning
            rate, at least 0. The first match counts. Without a match, the factor is 1.
        skip_nonfinite: whether to skip updates whose gradient norm is not finite. The schedule
            moves on, bias corrections do not, and `skipped` counts them.
        loss_scaling: whether to scale the loss dynamically, for float16. Updates that overflow are
            skipped too. Needs `build` before the first step, and excludes Keras's `clipnorm`,
            `clipvalue` and `global_clipnorm`. Not needed in `compile` with Keras's default
            `auto_scale_loss`, which does the same under mixed_float16.
        **kwargs: those of `keras.optimizers.Optimizer`, such as `use_ema`.

    Attributes:
        strategy: that in whose scope it was created.
        exchange: how replicas add up their gradients; that of the scope.
        gradient_norm: global norm of the latest gradient, before clipping, scalar variable ().
        skipped: number of skipped updates, scalar variable ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `build`: if a regular expression matches no variable, or a variable is bfloat16 or
            float16.
    """

    # How many times AdamW's learning rate fits, for learning_rate=auto; None if no factor does.
    rate_factor: float | None = 1.0

    def __init__(
        self,
        learning_rate: Any = DEFAULT_RATE,
        *,
        clip_norm: float = 1.0,
        decay: float = 0.0,
        no_decay: str = NO_DECAY,
        multipliers: Sequence[tuple[str, float]] = (),
        skip_nonfinite: bool = False,
        loss_scaling: bool = False,
        weight_decay: float | None = None,
        **kwargs,
    ):
        bounds.not_negative(clip_norm=clip_norm, decay=decay)
        bounds.regular_expression(no_decay=no_decay)
        bounds.boolean(skip_nonfinite=skip_nonfinite, loss_scaling=loss_scaling)
        if loss_scaling:
            _no_clipping_by_keras(kwargs)
        checked = _checked_pairs(multipliers)
        if weight_decay is not None:
            bounds.not_negative(weight_decay=weight_decay)
            decay = weight_decay
        if isinstance(learning_rate, (int, float)):
            bounds.not_negative(learning_rate=learning_rate)
            learning_rate = float(learning_rate)
        # Keras's own decay would be added to ours; that of some of its optimizers is on by default.
        super().__init__(learning_rate=learning_rate, weight_decay=None, **kwargs)
        self.clip_norm, self.decay = clip_norm, decay
        self.no_decay, self.multipliers = no_decay, checked
        self.skip_nonfinite, self.loss_scaling = skip_nonfinite, loss_scaling
        self.strategy, self.exchange = tf.distribute.get_strategy(), exchange.current()
        # True if there is an `update_rows`: decay and step of the rows of an embedding that were
        # looked up, given IndexedSlices that hold each row once.
        self.updates_rows = False
        self.loss_scale: LossScale | None = None

    def build(self, variables: list) -> None:
        if self.built:
            return
        paths = [variable.path for variable in variables]
        self._check_matches(paths)
        _check_precision(variables)
        super().build(variables)
        self.decays = tuple(self.decay > 0 and not self._is_excluded(path) for path in paths)
        self.factors = tuple(self._factor(path) for path in paths)
        self.sizes = tuple(variable.shape.num_elements() for variable in variables)
        # The updates made when a variable's own count started; None if it counts all of them.
        self.counted_from: tuple[int | None, ...] = (None,) * len(paths)
        once = {"shape": (), "aggregation": "only_first_replica"}
        self.gradient_norm = self.add_variable(name="gradient_norm", dtype="float32", **once)
        self.skipped = self.add_variable(name="skipped", dtype="int64", **once)
        self.loss_scale = LossScale(self) if self.loss_scaling else None

    def start_count(self, variables: Sequence[Any]) -> None:
        """Count the updates of these variables from the next one; a count that has started goes on.

        For variables that are trained later than others: their moments are still zero then, which
        the bias correction of a first update compensates, but not that of a later one. Takes
        effect when a step is traced next.
        """
        late, made = {self.variable_index(variable) for variable in variables}, int(self._made())
        self.counted_from = tuple(
            made if index in late and start is None else start
            for index, start in enumerate(self.counted_from)
        )

    def groups(self) -> list[Group]:
        """Return the groups of variables that are trained alike.

        The highest multiplier comes first, and variables that decay before those that do not.
        """
        sizes = collections.defaultdict(list)
        for factor, decays, size in zip(self.factors, self.decays, self.sizes, strict=True):
            sizes[factor, decays].append(size)
        return [
            Group(factor, decays, len(counts), sum(counts))
            for (factor, decays), counts in sorted(sizes.items(), reverse=True)
        ]

    def step_scalars(self, t: Any) -> tuple:
        """Return the arguments of `update_step` after the learning rate, computed once for a step.

        Args:
            t: updates of the variables, this one included, float32 scalar ().
        """
        return ()

    def apply_decay(self, variable: Any, learning_rate: Any) -> None:
        """Subtract this step's weight decay from a variable, if it decays."""
        if self.decays[self.variable_index(variable)]:
            variable.assign_sub(variable * tf.cast(learning_rate * self.decay, variable.dtype))

    def last_learning_rate(self) -> Any:
        """Return the learning rate of the latest update, scalar ()."""
        if self.schedule is None:
            return self.learning_rate
        return self.schedule(tf.maximum(self._updates() - 1, 0))

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss to differentiate; `apply` undoes the scale."""
        if not self.loss_scaling:
            return super().scale_loss(loss)
        if self.loss_scale is None:
            raise ValueError(
                "`loss_scaling` needs `optimizer.build(model.trainable_variables)` before the "
                "first step. In an ordinary Keras model, omit it: `compile` scales the loss "
                "under the policy mixed_float16."
            )
        return self.loss_scale.scale(loss)

    def apply_update(self, gradients: list, variables: list, learning_rate: Any) -> None:
        gradients = self.exchange.sum(gradients, keep_rows=self.updates_rows)
        if self.loss_scale:
            gradients = self.loss_scale.unscale(gradients)
        # Some may be float64.
        norm = tf.linalg.global_norm([tf.cast(g, tf.float32) for g in gradients])
        if self.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self.clip_norm, use_norm=norm)
        self.gradient_norm.assign(norm)
        keras_compat.merge_call(
            self._update_if_finite if self._may_skip else self._update_all,
            self.strategy,
            list(zip(gradients, variables, strict=True)),
            tf.convert_to_tensor(learning_rate),
            # No None among the keys: several replicas sort them.
            {start or 0: self.step_scalars(self._count(start)) for start in set(self.counted_from)},
            *([self._count_skipped(norm)] if self._may_skip else []),
        )

    @property
    def _may_skip(self) -> bool:
        return self.skip_nonfinite or self.loss_scaling

    def _count(self, start: int | None) -> Any:
        """Return the updates of variables that count from `start`, this one included."""
        return tf.cast(self._made() + 1 - (start or 0), tf.float32)

    def _made(self) -> Any:
        """Return the updates made so far without those that were skipped.

        A skipped update does not move the moments, so it must not count in the bias correction.
        """
        return self._updates() - (self.skipped.value if self._may_skip else 0)

    def _updates(self) -> Any:
        """Return the number of updates made so far: a tensor if Keras accumulates gradients."""
        iterations: Any = self.iterations
        return iterations.value if isinstance(iterations, keras.Variable) else iterations

    def _count_skipped(self, norm: Any) -> Any:
        finite = tf.math.is_finite(norm)
        self.skipped.assign_add(tf.cast(~finite, "int64"))
        if self.loss_scale:
            self.loss_scale.update(finite)
        return finite

    def _update_if_finite(
        self,
        strategy: tf.distribute.Strategy,
        pairs: list,
        learning_rate: Any,
        scalars: dict[int, tuple],
        finite: Any,
    ) -> None:
        def update():
            self._update_all(strategy, pairs, learning_rate, scalars)
            return True

        # The norm is of summed gradients, so all replicas have the same answer.
        own = strategy.experimental_local_results(finite)[0]
        tf.cond(own, update, lambda: False)

    def _update_all(
        self,
        strategy: tf.distribute.Strategy,
        pairs: list,
        learning_rate: Any,
        scalars: dict[int, tuple],
    ) -> None:
        for gradient, variable in pairs:
            strategy.extended.update(
                variable, self._update_one, args=(gradient, learning_rate, scalars), group=False
            )

    def _update_one(
        self, variable: Any, gradient: Any, learning_rate: Any, scalars: dict[int, tuple]
    ) -> None:
        index = self.variable_index(variable)
        if self.factors[index] != 1:
            learning_rate = learning_rate * self.factors[index]
        rates = (learning_rate, *scalars[self.counted_from[index] or 0])
        learning_rate, *own_scalars = (tf.cast(rate, variable.dtype) for rate in rates)
        if isinstance(gradient, tf.IndexedSlices):
            self.update_rows(gradient, variable, learning_rate, *own_scalars)
        else:
            self.apply_decay(variable, learning_rate)
            self.update_step(gradient, variable, learning_rate, *own_scalars)

    def update_rows(
        self, gradient: tf.IndexedSlices, variable: Any, learning_rate: Any, *scalars: Any
    ) -> None:
        """Update the rows that `gradient` holds. Only with `updates_rows`."""
        raise NotImplementedError

    def _check_matches(self, paths: list[str]) -> None:
        patterns = [("multipliers", pattern) for pattern, _ in self.multipliers]
        if self.decay and self.no_decay != NO_DECAY:
            patterns.append(("no_decay", self.no_decay))
        for name, pattern in patterns:
            if not any(re.search(pattern, path) for path in paths):
                raise ValueError(
                    f"`{name}` must match the path of a trainable variable. "
                    f"Received: {pattern!r}; a path is, for example, {paths[0]!r}."
                )

    def _is_excluded(self, path: str) -> bool:
        return bool(self.no_decay) and re.search(self.no_decay, path) is not None

    def _factor(self, path: str) -> float:
        return next((f for pattern, f in self.multipliers if re.search(pattern, path)), 1.0)

    def get_config(self):
        names = ("clip_norm", "decay", "no_decay", "skip_nonfinite", "loss_scaling")
        own = {name: getattr(self, name) for name in names}
        own["multipliers"] = [list(pair) for pair in self.multipliers]
        inherited = super().get_config()
        del inherited["weight_decay"]
        return {**inherited, **own}


def _no_clipping_by_keras(arguments: dict[str, Any]) -> None:
    """Raise ValueError if Keras would clip gradients, as it would before they are unscaled."""
    for name in ("clipnorm", "clipvalue", "global_clipnorm"):
        if arguments.get(name):
            raise ValueError(
                f"`{name}` can't be combined with `loss_scaling`, because Keras would clip the "
                f"scaled gradients; use `clip_norm`. Received: {name}={arguments[name]!r}."
            )


def _check_precision(variables: list) -> None:
    """Raise ValueError if a variable is too coarse for small updates."""
    for variable in variables:
        if str(variable.dtype) in ("bfloat16", "float16"):
            raise ValueError(
                f"the variables must be float32, but {variable.path} is {variable.dtype}: updates "
                "as small as those of fine-tuning would be rounded away. Use the dtype policy "
                f"mixed_{variable.dtype} instead of {variable.dtype}."
            )


def _checked_pairs(pairs: Any) -> tuple[tuple[str, float], ...]:
    if not isinstance(pairs, Iterable):
        raise _no_pairs(pairs)
    return tuple(_checked_pair(pair) for pair in pairs)


def _checked_pair(pair: Any) -> tuple[str, float]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise _no_pairs(pair)
    pattern, factor = pair
    bounds.regular_expression(multipliers=pattern)
    bounds.not_negative(multipliers=factor)
    return pattern, float(factor)


def _no_pairs(received: Any) -> ValueError:
    return ValueError(f"`multipliers` must be pairs (regex, factor). Received: {received!r}.")
