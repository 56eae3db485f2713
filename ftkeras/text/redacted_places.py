"""Map places in texts, in characters, to redacted texts and back; works in the graph."""

from typing import Any, NamedTuple

import tensorflow as tf

from ftkeras.text.redactions import Redaction, Rule, replace, valid

# A control character that marks places, and what stands for it in the text meanwhile: no rule tells
# one of them from the other.
MARK, INSTEAD = "\x1e", "\x1f"


class Step(NamedTuple):
    """The parts of texts before and after a rule: in turn one that stays and one that is replaced.

    On one axis for all texts, the parts of each text come after those of the texts before it.

    Attributes:
        before, after: where parts start, int64 [parts].
        is_replaced: bool [parts].
        first: the first part of each text, int64 [batch].
    """

    before: tf.Tensor
    after: tf.Tensor
    is_replaced: tf.Tensor
    first: tf.Tensor


class Places:
    """The places that a redaction moves in some texts.

    A place that starts or ends inside of what is replaced becomes the whole of it: of an address,
    the whole placeholder, and of a part of the placeholder, the whole address.

    Args:
        redaction: has the rules.
        texts: string [batch], before the redaction.

    Attributes:
        texts: after it, string [batch].

    >>> from ftkeras.text.redactions.pii import PII
    >>> places = Places(PII(), tf.constant(["Ask ann@example.org or Bob."]))
    >>> places.texts.numpy()[0]
    b'Ask [EMAIL] or Bob.'
    >>> starts, ends = places.original([[5, 15]], [[10, 18]])  # "EMAIL", "Bob"
    >>> starts.numpy().tolist(), ends.numpy().tolist()
    ([[4, 23]], [[19, 26]])
    >>> starts, ends = places.redacted([[4, 23]], [[7, 26]])  # "ann", "Bob"
    >>> starts.numpy().tolist(), ends.numpy().tolist()
    ([[4, 15]], [[11, 18]])
    """

    def __init__(self, redaction: Redaction, texts: tf.Tensor):
        self.texts = replace(redaction, texts)
        self._steps, read = [], valid(texts)
        for rule in redaction.rules:
            self._steps.append(_step(rule, read))
            read = tf.strings.regex_replace(read, rule.pattern, rule.rewrite)

    def original(self, starts: Any, ends: Any, rows: Any = None) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the positions in the original texts of spans of the redacted texts.

        Args:
            starts: in characters, integer [rows, places]; below 0 of what is no place, which stays.
            ends: of these places.
            rows: the text of each row, integer [rows]; by default, there is a row for each text.

        Returns:
            starts and ends, of the same shape and type.
        """
        moved = tf.convert_to_tensor(starts), tf.convert_to_tensor(ends)
        for step in reversed(self._steps):
            moved = _move(*moved, rows, step, step.after, step.before)
        return moved

    def redacted(self, starts: Any, ends: Any, rows: Any = None) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the positions in the redacted texts of spans of the texts; see `original`."""
        moved = tf.convert_to_tensor(starts), tf.convert_to_tensor(ends)
        for step in self._steps:
            moved = _move(*moved, rows, step, step.before, step.after)
        return moved


def _step(rule: Rule, texts: tf.Tensor) -> Step:
    """Return the parts of texts before and after a rule, by the marks that the rule itself sets."""
    texts = tf.strings.regex_replace(texts, MARK, INSTEAD)
    whole = _sizes(texts, rule, rf"{MARK}\0{MARK}")
    made = _sizes(
        texts, rule, rule.rewrite.replace(rule.placeholder, MARK + rule.placeholder + MARK)
    )
    number = tf.range(tf.size(made.flat_values, tf.int64))
    is_replaced = (number - tf.gather(made.row_starts(), made.value_rowids())) % 2 == 1
    # Text that a pattern reads in front of the place stays. It is in the part before only if that
    # part is counted by its replacement.
    kept = made.flat_values - whole.flat_values
    front = tf.concat([[0], kept], 0)[: tf.size(kept)]
    sizes = tf.where(is_replaced, whole.flat_values - front, made.flat_values)
    gaps = made.value_rowids()  # the end of a text is no place of the next one
    before, after = (tf.cumsum(part, exclusive=True) + gaps for part in (sizes, made.flat_values))
    return Step(before, after, is_replaced, made.row_starts())


def _sizes(texts: tf.Tensor, rule: Rule, rewrite: str) -> tf.RaggedTensor:
    """Return the characters of the parts between marks, int64 ragged [batch, (parts)]."""
    parts = tf.strings.split(tf.strings.regex_replace(texts, rule.pattern, rewrite), MARK)
    lengths = tf.strings.length(parts.flat_values, unit="UTF8_CHAR")
    return parts.with_flat_values(tf.cast(lengths, tf.int64))


def _move(
    starts: tf.Tensor, ends: tf.Tensor, rows: Any, step: Step, source: tf.Tensor, target: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    rows = tf.range(tf.shape(starts)[0]) if rows is None else rows
    first = tf.gather(step.first, rows)[:, tf.newaxis]
    base, moved_base = tf.gather(source, first), tf.gather(target, first)

    def move(offsets: tf.Tensor, side: str, edge: int) -> tf.Tensor:
        at = tf.cast(offsets, tf.int64) + base
        part = tf.searchsorted(source, tf.reshape(at, [-1]), side=side, out_type=tf.int64) - 1
        part = tf.maximum(tf.reshape(part, tf.shape(at)), first)
        stays = at - tf.gather(source, part) + tf.gather(target, part)
        replaced = tf.gather(target, tf.minimum(part + edge, tf.size(target, tf.int64) - 1))
        moved = tf.where(tf.gather(step.is_replaced, part), replaced, stays) - moved_base
        return tf.where(offsets < 0, offsets, tf.cast(moved, offsets.dtype))

    moved = move(starts, "right", 0)
    return moved, tf.maximum(move(ends, "left", 1), moved)
