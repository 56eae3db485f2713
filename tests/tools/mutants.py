"""The lines that `mutate` breaks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One change to one file, and the tests that should notice it."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def __str__(self):
        return f"{self.file}: {self.old.strip()!r} -> {self.new.strip()!r}"


def _of(folder: str, *rows: tuple[str, str, str, str]) -> list[Mutant]:
    """Rows of a file in ftkeras/`folder`, old text, new text, and tests in tests/`folder`."""
    return [
        Mutant(
            f"ftkeras/{folder}/{file}",
            old,
            new,
            tuple(f"tests/{folder}/{name}".rstrip("/") for name in tests.split(" ")),
        )
        for file, old, new, tests in rows
    ]


MUTANTS = [
    *_of(
        "schedules",
        (
            "linear.py",
            "/ self.total_steps, 1.0)",
            "/ (self.total_steps + 1), 1.0)",
            "test_schedules.py",
        ),
        (
            "_warmup.py",
            "self.after(ops.maximum(step - self.steps, 0.0))",
            "self.after(step)",
            "test_schedules.py test_properties.py",
        ),
        (
            "slanted_triangular.py",
            "int(self.cut * self.total_steps)",
            "int(self.cut * self.total_steps) + 1",
            "test_schedules.py",
        ),
        (
            "reduce_on_plateau.py",
            "_number(self.bad_epochs) < self.patience",
            "_number(self.bad_epochs) <= self.patience",
            "test_reduce_on_plateau.py",
        ),
    ),
    *_of(
        "optimizers",
        ("_base.py", 'r"bias|norm"', 'r"bias"', "test_optimizers.py"),
        (
            "_base.py",
            "self._made() + 1 - (start or 0)",
            "self._made() - (start or 0)",
            "test_optimizers.py",
        ),
        (
            "_base.py",
            "gradients, self.clip_norm, use_norm",
            "gradients, 2 * self.clip_norm, use_norm",
            "test_optimizers.py",
        ),
        ("adamw.py", "self.epsilon * tf.sqrt(1 - power_2)", "self.epsilon", "test_optimizers.py"),
    ),
    *_of(
        "losses",
        ("cross_entropy.py", "-(1 - s) * picked", "-picked", "test_losses.py"),
        (
            "focal.py",
            "ops.where(chosen, -1e30, logits)",
            "ops.where(chosen, 0.0, logits)",
            "test_losses.py",
        ),
    ),
    *_of(
        "statistics",
        (
            "imbalance.py",
            "classes=present, y=labels)",
            "classes=present, y=present)",
            "test_imbalance.py",
        ),
    ),
    *_of(
        "problems",
        ("_thresholds.py", "(below + scores) / 2", "scores", "test_multi_label.py"),
        ("_thresholds.py", "+ share * together", "+ 0 * together", "test_multi_label.py"),
    ),
    Mutant(
        "ftkeras/support/indexed_slices.py",
        "tf.math.unsorted_segment_sum(",
        "tf.math.unsorted_segment_max(",
        ("tests/optimizers/test_optimizers.py", "tests/optimizers/test_lazy.py"),
    ),
    *_of(
        "privacy",
        ("dp_sgd.py", "self.clip / tf.maximum(norm, self.clip)", "1.0", "test_dp_sgd.py"),
        ("dp_sgd.py", "tf.math.multiply_no_nan(", "tf.multiply(", "test_dp_sgd.py"),
        ("dp_sgd.py", "self.noise * self.clip", "self.noise", "test_dp_sgd.py"),
        ("dp_sgd.py", "/ run.expected)", "/ run.batch_size * 2)", "test_opacus.py"),
        ("dp_sgd.py", "fold_in(seed, tf.cast(step, tf.int64))", "fold_in(seed, 0)", ""),
        ("_accounting.py", "while excess(noise) > 0:", "while excess(noise) > 1:", ""),
    ),
    *_of("averages", ("ema.py", "9 / (10 + count)", "10 / (10 + count)", "test_averages.py")),
    *_of(
        "heads",
        (
            "_linear.py",
            "ops.matmul(states, self.kernel) + self.bias",
            "ops.matmul(states, self.kernel)",
            "",
        ),
        (
            "_pooling.py",
            "padding_mask[:, None])",
            "ops.ones_like(padding_mask)[:, None])",
            "",
        ),
    ),
    *_of(
        "encoders",
        (
            "_transformer.py",
            "(self.size * (1 if self.relative is None else 3)) ** -0.5",
            "(self.size * (1 if self.relative is None else 3)) ** -1.0",
            "test_bert.py",
        ),
        ("_packing.py", "1.0 - mask", "0.0 * mask", "test_bert.py"),
        (
            "_embeddings.py",
            "position_ids + self.first_position",
            "position_ids",
            "test_families.py",
        ),
        (
            "_embeddings.py",
            "ops.add(x, self.segment[0])",
            "ops.add(x, self.segment[1])",
            "test_bert.py",
        ),
        (
            "_transformer.py",
            "ops.reshape(sums, (heads, -1, 1)) * bias[2]",
            "ops.reshape(sums, (heads, -1, 1)) * bias[1]",
            "test_first_tokens.py",
        ),
    ),
    *_of(
        "policies",
        (
            "lora.py",
            "share + self.scale * ops.matmul(a, b)",
            "share + ops.matmul(a, b)",
            "test_lora.py test_policies.py",
        ),
        (
            "_layers.py",
            "enumerate(reversed(body(encoder)))",
            "enumerate(reversed(body(encoder)), 1)",
            "test_rates.py test_policies.py",
        ),
        (
            "gradual_unfreezing.py",
            "part.trainable = number < unfrozen",
            "part.trainable = number <= unfrozen",
            "test_gradual_unfreezing.py",
        ),
        (
            "gradual_unfreezing.py",
            "in self.turns[: self.unfrozen]",
            "in self.turns",
            "test_gradual_unfreezing.py",
        ),
    ),
    *_of(
        "support",
        (
            "layer_hooks.py",
            "self._sub_layers.get((layer.name, sub_layer))",
            'self._sub_layers.get((layer.name, "output"))',
            "test_layer_hooks.py",
        ),
        (
            "layer_hooks.py",
            "self._output(number, x if queries is None else queries, after)",
            "self._output(number, x, after)",
            "test_layer_hooks.py",
        ),
    ),
    *_of(
        "regularizers",
        (
            "l2_sp.py",
            "moved = sum(ops.sum(ops.square(ops.subtract(v, start)))",
            "moved = sum(ops.sum(ops.square(v))",
            "test_penalties.py",
        ),
        (
            "r_drop.py",
            "self.alpha / 2 * divergence",
            "self.alpha * divergence",
            "test_divergences.py",
        ),
    ),
    *_of(
        "data",
        (
            "split_sizes.py",
            "strata, seed = self.strata(examples), self._config.data_seed",
            "strata, seed = self.strata(examples), self._config.seed",
            "test_splits.py",
        ),
        ("feed.py", "default_rng((self.seed, epoch))", "default_rng((self.seed, 0))", "batching"),
        ("feed.py", "ordered[positions[is_filled]] = ", "ordered[:] = ", "batching"),
        ("feed.py", "range(start, len(plan))", "range(max(0, start - 1), len(plan))", "batching"),
        (
            "batching/_rows.py",
            "start + second : stop] = 1",
            "start + second - 1 : stop] = 1",
            "batching",
        ),
    ),
    *_of(
        "training",
        (
            "finetuner.py",
            "_count_examples(answers) / count",
            "_count_examples(answers) / _count_examples(answers)",
            "test_finetuner.py",
        ),
        (
            "best.py",
            "epoch - self.epoch >= self.patience",
            "epoch - self.epoch > self.patience",
            "test_callbacks.py",
        ),
        (
            "best.py",
            "rank_key(self.objective, value, loss, 0) < best",
            "rank_key(self.objective, value, loss, 0) <= best",
            "test_callbacks.py",
        ),
        (
            "checkpointer.py",
            "(self._position.epoch, batch + 1)",
            "(self._position.epoch, batch)",
            "test_state.py test_callbacks.py",
        ),
    ),
    *_of(
        "statistics",
        (
            "classifier_metrics.py",
            "probabilities[:, 1]",
            "probabilities[:, 0]",
            "test_classifier_metrics.py",
        ),
    ),
    *_of(
        "problems",
        (
            "_one_of_several.py",
            "return softmax(logits, axis=1)",
            "return softmax(logits, axis=0)",
            "test_classification.py test_contract.py",
        ),
        (
            "classification.py",
            "return tf.nn.softmax(self.scaled(outputs))",
            "return self.scaled(outputs)",
            "test_classification.py test_contract.py",
        ),
        (
            "classification.py",
            "tf.gather(tf.constant(list(self.names)), best)",
            "tf.gather(tf.constant(list(self.names)[::-1]), best)",
            "test_classification.py test_contract.py",
        ),
    ),
    *_of(
        "text",
        (
            "_merges.py",
            "(place - first) % 2 == 0",
            "(place - first) >= 0",
            "test_byte_pair.py",
        ),
        (
            "byte_pair.py",
            "(lead == 1), tf.zeros_like(lead), lead)",
            "(lead >= 1), tf.zeros_like(lead), lead)",
            "test_byte_pair.py",
        ),
        (
            "layer.py",
            "self.truncation(part, limit)",
            "self.truncation(part, limit - 1)",
            "test_layer.py",
        ),
        (
            "truncations/head_tail.py",
            "tf.ragged.range(ends - (lengths - first), ends)",
            "tf.ragged.range(ends - (lengths - first) - 1, ends - 1)",
            "truncations",
        ),
    ),
    *_of("serving", ("batcher.py", "start += task.rows", "start += 1", "test_batcher.py")),
    *_of(
        "statistics",
        ("significance.py", "1 / count + test_share", "1 / count", "test_significance.py"),
    ),
    *_of(
        "problems",
        (
            "_files.py",
            "if is_lower_better(objective)",
            "if not is_lower_better(objective)",
            "test_contract.py",
        ),
    ),
    *_of("checkpoints", ("training_state.py", "[: -keep or None]", "[: -keep - 1]", "")),
    *_of(
        "search",
        (
            "results.py",
            "return _mean(self.losses)",
            "return -_mean(self.losses)",
            "test_trials.py",
        ),
    ),
]
