import collections
import re
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from ftkeras.optimizers._loss_scale import LossScale
from ftkeras.support import bounds

NO_DECAY = r"bias|norm"


@dataclass(frozen=True)
class Group:
    """Variables that learn alike, and how many there are."""

    multiplier: float
    decays: bool
    variables: int
    parameters: int


class FineTuningOptimizer(keras.optimizers.Optimizer):
    """What every optimizer here does before its own step.

    - Gradients are summed over replicas, then clipped by one norm over all variables:
      g <- g * min(1, clip_norm / ||g||). Keras clips each replica's share before the sum, which is
      another norm. Rows of an embedding looked up twice are added up before the norm is taken.
    - `gradient_norm` is that norm, before the clip, of the latest update. Where `skips` is set,
      an update whose norm is no number is left out, though the schedule moves on, and `skipped`
      says how often that was. Where `scales_loss` is set, for float16, it is so too.
    - A variable's rate is the step's times the variable's multiplier.
    - Decay is decoupled and taken at that rate, w <- w - rate * decay * w, before the step, from
      variables whose path does not match `no_decay` (Keras matches names, which spares nothing:
      keras#16201). Source: Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101.

    A subclass gives `update_step(gradient, variable, learning_rate, *scalars)`. One of Keras's own
    has it already: `class Lion(FineTuningOptimizer, keras.optimizers.Lion)`.

    Args:
        learning_rate: a schedule, or a positive number.
        clip_norm: bound on the global norm; 0 for none.
        decay: weight decay; at least 0.
        no_decay: regular expression on variable paths that are left out of the decay; empty to
            leave out none.
        multipliers: pairs of a regular expression on variable paths and a factor of at least 0 on
            the rate; the first that matches counts, and 1.0 where none does.

    Raises:
        ValueError: naming the argument, its bound and the value received; at `build`, a regular
            expression that matches no variable.
    """

    def __init__(
        self,
        *,
        learning_rate,
        clip_norm: float = 1.0,
        decay: float = 0.0,
        no_decay: str = NO_DECAY,
        multipliers: Sequence[tuple[str, float]] = (),
        **kwargs,
    ):
        bounds.not_negative(clip_norm=clip_norm, decay=decay)
        check_pattern("no_decay", no_decay)
        multipliers = tuple(_pair(row) for row in multipliers)
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.clip_norm, self.decay = clip_norm, decay
        self.no_decay, self.multipliers = no_decay, multipliers
        self.skips = self.scales_loss = False
        # Whether there is an `update_rows`: step and decay of an embedding's rows that were looked
        # up, each of which its gradient, IndexedSlices, has once.
        self.takes_rows = False

    def build(self, variables):
        if self.built:
            return
        paths = [variable.path for variable in variables]
        self._check_matches(paths)
        super().build(variables)
        self.decays = tuple(self.decay > 0 and not self._is_spared(path) for path in paths)
        self.factors = tuple(self._factor(path) for path in paths)
        self.begun = (0,) * len(paths)
        # Of the latest update's gradients, before they are clipped; and how many were no number.
        once = {"shape": (), "aggregation": "only_first_replica"}
        self.gradient_norm = self.add_variable(name="gradient_norm", dtype="float32", **once)
        self.skipped = self.add_variable(name="skipped", dtype="int64", **once)
        self.loss_scale = LossScale(self) if self.scales_loss else None

    def begin(self, variables, *, after: int) -> None:
        """Has these variables' own count of updates begin after so many of the run's.

        For those that learn late: their moments are still zero then, which the bias correction of
        the first updates, not of later ones, makes up for. Counts when a step is traced next.
        """
        late = {self._get_variable_index(variable) for variable in variables}
        self.begun = tuple(after if i in late else b for i, b in enumerate(self.begun))

    def groups(self) -> list[Group]:
        """The variables by how they learn: fastest first, those that decay before those spared."""
        sizes = collections.defaultdict(list)
        for variable, *key in zip(
            self._trainable_variables, self.factors, self.decays, strict=True
        ):
            sizes[tuple(key)].append(variable.shape.num_elements())
        return [Group(*key, len(sizes[key]), sum(sizes[key])) for key in sorted(sizes)[::-1]]

    def scalars(self, t) -> tuple:
        """What a step needs beside the rate, made once and handed to each `update_step`.

        `t`: updates of the variables it is for, this one counted, float32 scalar ().
        """
        return ()

    def shrink(self, variable, learning_rate):
        """Takes this step's weight decay from a variable, where it decays."""
        if self.decays[self._get_variable_index(variable)]:
            variable.assign_sub(variable * tf.cast(learning_rate * self.decay, variable.dtype))

    def rate_of_last_update(self):
        """The learning rate that the latest update was made with, a scalar ()."""
        schedule = self._learning_rate
        if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            return self.learning_rate
        return schedule(tf.maximum(self.iterations.value - 1, 0))

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        variables = [variable.value for variable in trainable_variables]
        if not self.takes_rows:
            grads = [tf.convert_to_tensor(grad) for grad in grads]
        pairs = self._all_reduce_sum_gradients(list(zip(grads, variables, strict=True)))
        grads = [_each_row_once(grad) for grad, _ in pairs]
        if self.loss_scale:
            grads = self.loss_scale.undone(grads)
        norm = tf.linalg.global_norm(grads)
        if self.clip_norm:
            grads, _ = tf.clip_by_global_norm(grads, self.clip_norm, use_norm=norm)
        self.gradient_norm.assign(norm)
        tf.__internal__.distribute.interim.maybe_merge_call(
            self._update_finite if self.skips or self.loss_scale else self._update_all,
            self._distribution_strategy,
            list(zip(grads, variables, strict=True)),
            tf.convert_to_tensor(learning_rate),
            {begun: self.scalars(self._update_after(begun)) for begun in set(self.begun)},
            *([self._heard(norm)] if self.skips or self.loss_scale else []),
        )

    def _heard(self, norm):
        finite = tf.math.is_finite(norm)
        self.skipped.assign_add(tf.cast(~finite, "int64"))
        if self.loss_scale:
            self.loss_scale.hear(finite)
        return finite

    def scale_loss(self, loss):
        """The loss to differentiate, whose scale the update then undoes."""
        return self.loss_scale.scaled(loss) if self.loss_scale else loss

    def _update_after(self, begun):
        return tf.cast(self.iterations.value + 1 - begun, tf.float32)

    def _update_finite(self, distribution, pairs, learning_rate, scalars, finite):
        def update():
            self._update_all(distribution, pairs, learning_rate, scalars)
            return True

        # All replicas have heard the same.
        own = distribution.experimental_local_results(finite)[0]
        tf.cond(own, update, lambda: False)

    def _update_all(self, distribution, pairs, learning_rate, scalars):
        def update(variable, grad, learning_rate, scalars):
            index = self._get_variable_index(variable)
            factor = self.factors[index]
            rate = learning_rate if factor == 1 else learning_rate * factor
            given = grad, variable, rate, *scalars[self.begun[index]]
            if isinstance(grad, tf.IndexedSlices):
                self.update_rows(*given)
            else:
                self.shrink(variable, rate)
                self.update_step(*given)

        for grad, variable in pairs:
            distribution.extended.update(
                variable, update, args=(grad, learning_rate, scalars), group=False
            )

    def _check_matches(self, paths):
        patterns = [("multipliers", pattern) for pattern, _ in self.multipliers]
        if self.decay and self.no_decay != NO_DECAY:
            patterns.append(("no_decay", self.no_decay))
        for name, pattern in patterns:
            if not any(re.search(pattern, path) for path in paths):
                raise ValueError(
                    f"`{name}` must match the path of a variable that learns. "
                    f"Received: {pattern!r}; paths read like {paths[0]!r}."
                )

    def _is_spared(self, path):
        return bool(self.no_decay) and re.search(self.no_decay, path) is not None

    def _factor(self, path):
        return next((f for pattern, f in self.multipliers if re.search(pattern, path)), 1.0)

    def get_config(self):
        own = {key: getattr(self, key) for key in ("clip_norm", "decay", "no_decay")}
        own["multipliers"] = [list(pair) for pair in self.multipliers]
        inherited = super().get_config()
        replaced = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue")
        return {**{k: v for k, v in inherited.items() if k not in replaced}, **own}


def _each_row_once(gradient):
    """A gradient; of one by rows, those that were looked up more than once added up."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.shape(rows)[0])
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def check_pattern(name, pattern):
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(
            f"`{name}` must be a regular expression ({error}). Received: {pattern!r}."
        ) from None


def _pair(row):
    if not isinstance(row, (tuple, list)) or len(row) != 2:
        raise ValueError(f"`multipliers` must be pairs (regex, factor). Received: {row!r}.")
    pattern, factor = row
    check_pattern("multipliers", pattern)
    bounds.not_negative(multipliers=factor)
    return pattern, float(factor)
