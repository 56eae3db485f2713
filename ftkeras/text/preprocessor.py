"""The Keras layer that turns texts into an encoder's input."""

import pathlib
import reprlib
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ftkeras.support import bounds
from ftkeras.text import truncations
from ftkeras.text.from_folder import read_tokenizer
from ftkeras.text.layer import TextLayer
from ftkeras.text.tokenizer import Tokenizer
from ftkeras.text.truncations import Truncation
from ftkeras.text.truncations.head import Head
from ftkeras.text.words import NO_WORD, NUMBERS, WORDS

# The arguments of the text layer, by what is read.
_READS: Mapping[str, Mapping[str, Any]] = {
    "texts": {},
    "words": {"words": True, "spaced": True},
    "each_text": {"each_text": True},
    "options": {},
    "contexts": {"contexts": True},
}
# Outputs beside an encoder's arguments: about each token of a row, and about each context.
_OF_TOKENS = {"words": (NUMBERS,), "contexts": WORDS}
_OF_CONTEXTS = {"contexts": ("first_pieces", "window_counts")}
_NEED_PAIRS, _NEED_TEXTS = ("options", "contexts"), ("words",)
_TRUNCATIONS = ("Head", "Tail", "HeadTail")


@keras.saving.register_keras_serializable(package="ftkeras")
class Preprocessor(keras.layers.Layer):
    """Turn texts, or pairs of texts, into arrays of token ids for an encoder.

    `ftkeras.text.from_pretrained` makes this layer from a checkpoint. It works in functional and
    subclassed models and in `tf.data.Dataset.map`. A `.keras` file has the tokenizer's files as
    assets, and `model.export` writes a model that takes raw strings.

    Args:
        max_length: the maximum number of tokens per row, including special tokens; it must leave
            room for one piece of each text. Of a pair, the longer text is shortened first.
        truncation: which part of a long text is kept: `ftkeras.text.truncations.Head()` by default,
            `Tail()` or `HeadTail(head=128)`.
        fixed_length: whether to pad all rows to `max_length`. By default, rows are padded to the
            longest text of the batch.
        tokenizer: turns texts into pieces, and adds special tokens. None if it is read from the
            assets of a `.keras` file afterwards.
        segments: whether pairs get segment ids; None to follow the tokenizer.
        reads: "texts" or pairs, each in a row; "words" of texts, which spaces separate; "each_text"
            of a pair in a row of its own; "options" of questions, each in a row; or "contexts" with
            questions.
        options: the maximum number of options of a question, if it reads them; else None. The
            second text of a question holds its options, one in each line.
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call:
        texts: strings [batch] or [batch, 1], a tensor, an array or a list.
        pairs: the second text of each pair, or None.

    Returns a dict: "token_ids", int32, and "padding_mask", bool, true for tokens, both [batch,
    length]; with pairs also "segment_ids", int32, if there are any. These are arguments of an
    encoder: `encoder(**preprocessor(texts))`. There is more in the dict if it reads

    - words: "word_numbers", the number of the word that a token is the first of, or -1;
    - contexts: "word_starts" and "word_ends", where each token of the context is in it, in
      characters, or -1; "first_pieces" and "window_counts" [batch], 0 and 1, as a context has one
      row.

    Of a pair, "each_text" gives two rows, one after the other; of a question, "options" gives a row
    for each possible option, without tokens if the question has no such option.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> from ftkeras.text.wordpiece import WordPiece
    >>> tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##happy", "!"]
    >>> preprocessor = Preprocessor(8, tokenizer=WordPiece(vocabulary=tokens))
    >>> preprocessor(["Unhappy!", "!"])["token_ids"].numpy()
    array([[2, 4, 5, 6, 3],
           [2, 6, 3, 0, 0]], dtype=int32)
    """

    def __init__(
        self,
        max_length: int = 128,
        *,
        truncation: Truncation | Mapping[str, Any] | None = None,
        fixed_length: bool = False,
        tokenizer: Tokenizer | None = None,
        segments: bool | None = None,
        reads: str = "texts",
        options: int | None = None,
        name: str = "preprocessor",
        **kwargs: Any,
    ):
        bounds.integer(1, max_length=max_length)
        bounds.boolean(fixed_length=fixed_length)
        bounds.choice(_READS, reads=reads)
        _check_options(reads, options)
        super().__init__(name=name, **kwargs)
        self.reads, self.options = reads, options
        self.max_length, self.fixed_length, self.segments = int(max_length), fixed_length, segments
        self.truncation = _truncation(truncation)
        self.supports_jit = False  # XLA has no strings
        self._text_layer: TextLayer | None = None
        if tokenizer is not None:
            self._set_tokenizer(tokenizer)
        self.built = True

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer, from `ftkeras.text`.

        Raises:
            ValueError: if there is none, because the layer was made from a configuration.
        """
        return self._require_text_layer().tokenizer

    def __call__(self, texts: Any, pairs: Any = None, **kwargs: Any) -> dict[str, Any]:
        if texts is None:
            raise ValueError("`texts` must be strings [batch] or [batch, 1]. Received: None.")
        # Keras rejects lists of strings, and hides an error of `call` in one of its own.
        texts, pairs = as_strings(texts), as_strings(pairs, "pairs")
        _require_columns(texts=texts, pairs=pairs)
        self._check_pairs(texts, pairs)
        return super().__call__(texts, pairs, **kwargs)

    def call(self, texts: Any, pairs: Any = None) -> dict[str, Any]:
        text_layer = self._require_text_layer()
        inputs = [tf.reshape(part, [-1]) for part in (texts, pairs) if part is not None]
        rows = text_layer(*inputs)
        shape = [None, self.max_length if self.fixed_length else None]
        fills = {"token_ids": text_layer.tokenizer.pad_id, "segment_ids": 0}
        outputs = {
            name: part.to_tensor(fills.get(name, NO_WORD), shape=shape)
            if isinstance(part, tf.RaggedTensor)
            else part
            for name, part in rows.items()
        }
        lengths = tf.cast(rows["token_ids"].row_lengths(), tf.int32)
        length = tf.shape(outputs["token_ids"])[1]
        return {**outputs, "padding_mask": tf.sequence_mask(lengths, length)}

    def compute_output_spec(self, texts: Any, pairs: Any = None) -> dict[str, keras.KerasTensor]:
        batch = texts.shape[0]
        rows = None if self.reads in ("each_text", "options") else batch
        shape = (rows, self.max_length if self.fixed_length else None)
        names = ["token_ids", *_OF_TOKENS.get(self.reads, ())]
        names += ["segment_ids"] * (pairs is not None and bool(self.segments))
        specs = {name: keras.KerasTensor(shape, "int32") for name in names}
        specs |= {n: keras.KerasTensor((batch,), "int32") for n in _OF_CONTEXTS.get(self.reads, ())}
        return {**specs, "padding_mask": keras.KerasTensor(shape, "bool")}

    def _check_pairs(self, texts: Any, pairs: Any) -> None:
        if self.reads in (_NEED_PAIRS if pairs is None else _NEED_TEXTS):
            wanted = "None" if pairs is not None else "the second text of each question"
            raise ValueError(
                f"`pairs` must be {wanted}, as layer {self.name!r} reads {self.reads}. "
                f"Received: {pairs!r}."
            )
        first, second = _count(texts), None if pairs is None else _count(pairs)
        if None not in (first, second) and first != second:
            raise ValueError(
                "`pairs` must have a second text for each of `texts`. "
                f"Received: {first} texts and {second} pairs."
            )

    def get_config(self) -> dict[str, Any]:
        name, config = type(self.truncation).__name__, self.truncation.get_config()
        return {
            **super().get_config(),
            "max_length": self.max_length,
            "truncation": {"class_name": name, "config": config},
            "fixed_length": self.fixed_length,
            "segments": self.segments,
            "reads": self.reads,
            "options": self.options,
        }

    def save_assets(self, path: str) -> None:
        """Write the tokenizer's files into a folder of a `.keras` file."""
        self.tokenizer.save(
            pathlib.Path(path), max_length=self.max_length, segments=bool(self.segments)
        )

    def load_assets(self, path: str) -> None:
        """Read the tokenizer's files from a folder of a `.keras` file."""
        self._set_tokenizer(read_tokenizer(pathlib.Path(path)))

    def _set_tokenizer(self, tokenizer: Tokenizer) -> None:
        self._text_layer = TextLayer(
            tokenizer=tokenizer,
            truncation=self.truncation,
            max_length=self.max_length,
            segments=self.segments is not False,
            options=self.options,
            **_READS[self.reads],
        )
        self.segments = self._text_layer.segments

    def _require_text_layer(self) -> TextLayer:
        if self._text_layer is None:
            raise ValueError(
                f"layer {self.name!r} has no tokenizer. `ftkeras.text.from_pretrained` and "
                "`keras.models.load_model` make it with one; a configuration has none. To copy a "
                "model, use `copy.deepcopy` instead of `keras.models.clone_model`."
            )
        return self._text_layer


def as_strings(texts: Any, name: str = "texts") -> Any:
    """Return texts as a tensor of strings; a symbolic tensor or None as it is.

    Raises:
        ValueError: they are something else. The message names them.
    """
    if texts is None:
        return None
    if isinstance(texts, keras.KerasTensor | tf.Tensor) and texts.dtype not in (
        "string",
        tf.string,
    ):
        dtype = getattr(texts.dtype, "name", texts.dtype)
        raise ValueError(f"`{name}` must be strings. Received: a tensor of {dtype}.")
    if isinstance(texts, keras.KerasTensor):
        return texts
    try:
        return tf.convert_to_tensor(texts, tf.string)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` must be strings. Received: {reprlib.repr(texts)}.") from error


def _require_columns(**columns: Any) -> None:
    """Raise ValueError if a column has several strings in a row, as far as shapes are known."""
    for name, column in columns.items():
        shape = tf.TensorShape(()) if column is None else tf.TensorShape(column.shape)
        if not (shape[1:].rank in (None, 0) or shape[1:].is_compatible_with([1])):
            raise ValueError(
                f"`{name}` must be strings [batch] or [batch, 1]; pass second texts as `pairs`. "
                f"Received: shape {tuple(shape)}."
            )


def _count(column: Any) -> int | None:
    """Return the number of texts, None if it is unknown."""
    return tf.TensorShape(column.shape).num_elements()


def _check_options(reads: str, options: int | None) -> None:
    if reads == "options":
        bounds.integer(2, options=options)
    elif options is not None:
        raise ValueError(f"`options` must be None with reads={reads!r}. Received: {options!r}.")


def _truncation(truncation: Truncation | Mapping[str, Any] | None) -> Truncation:
    """Return a truncation, which may be given as `get_config` has it."""
    if truncation is None:
        return Head()
    made: Any = truncation
    if isinstance(truncation, Mapping) and truncation.get("class_name") in _TRUNCATIONS:
        made = getattr(truncations, truncation["class_name"])(**truncation.get("config", {}))
    if isinstance(made, type) or getattr(made, "cuts_windows", True):
        raise ValueError(
            "`truncation` must be Head(), Tail() or HeadTail(), as a text has one row here. "
            f"Received: {made!r}."
        )
    return made
