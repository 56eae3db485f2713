"""The functions that a SavedModel serves, by signature."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import numpy as np
import tensorflow as tf

from ftkeras.explanations.integrated_gradients import IntegratedGradients
from ftkeras.exporters._groups import run_in_groups
from ftkeras.exporters._lengths import lengths, pad
from ftkeras.exporters._weights import Weights
from ftkeras.exporters._windows import join_rows
from ftkeras.problems import SEVERAL_ROWS, Problem
from ftkeras.text.layer import TextLayer
from ftkeras.text.options import split
from ftkeras.text.redacted_places import Places
from ftkeras.text.truncations.windows import Windows
from ftkeras.text.words import NO_WORD, WORDS

CLASSIFY = "classify"
# Outputs of the text layer about windows.
COUNTS = ("first_pieces", "window_counts")
Tensors = Mapping[str, tf.Tensor]
ConcreteFunction = tf.types.experimental.ConcreteFunction


class Network(Protocol):
    """The type of a network that turns token ids into answers."""

    def __call__(self, inputs: Any) -> tuple[tf.Tensor, ...]:
        """Return logits, and the input of the head if it is known; see `Weights`."""
        ...


class Served(tf.Module):
    """The module that is saved: the weights, the text layer, and the functions over them.

    Tokenizing and running the network are two functions that all signatures call, so the SavedModel
    contains each only once.

    Args:
        weights: The model. Without the input of the head there is no signature `embed`.
        text_layer: Turns texts into token ids.
        problem: Turns outputs into answers.
        pairs: Whether texts come in pairs.
        explain_steps: Points of the integral in `explain`; None for no such signature.
    """

    def __init__(
        self,
        *,
        weights: Network,
        text_layer: TextLayer,
        problem: Problem,
        pairs: bool,
        explain_steps: int | None = None,
    ):
        super().__init__(name="served")
        self.weights, self.text_layer, self._problem = weights, text_layer, problem
        tokenizer = text_layer.tokenizer
        self.lengths = lengths(text_layer.max_length)
        self._vocabulary = list(tokenizer.vocabulary)
        self._cuts_windows = text_layer.truncation.cuts_windows
        self._pad_id = tokenizer.pad_id
        self._fill = {"token_ids": self._pad_id, "segment_ids": 0} | dict.fromkeys(WORDS, -1)
        texts = ("text", "pair") if pairs else ("text",)
        segments = pairs and text_layer.segments
        ids = ("token_ids", "segment_ids") if segments else ("token_ids",)
        self._text_specs = {name: tf.TensorSpec([None], tf.string, name) for name in texts}
        self._id_specs = {name: tf.TensorSpec([None, None], tf.int32, name) for name in ids}
        self._explain_steps = explain_steps

    @property
    def each_text(self) -> bool:
        """True if each text of a pair is a row of its own."""
        return self.text_layer.each_text

    @property
    def text_names(self) -> tuple[str, ...]:
        """The inputs of the signatures that take texts."""
        return tuple(self._text_specs)

    def token_ids(self, texts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return texts as the inputs of the signature `token_ids`, padded as when served."""
        found = self._tokenize({name: tf.constant(text) for name, text in texts.items()})
        return {name: found[name].numpy() for name in self._id_specs}

    def signatures(self) -> dict[str, ConcreteFunction]:
        """Return the functions by signature name, traced for their inputs."""
        problem = self._problem
        tokenize = tf.function(self._tokenize, input_signature=[self._text_specs], autograph=False)
        text_spec = {"text": self._text_specs["text"]}
        alone = tf.function(self._tokenize, input_signature=[text_spec], autograph=False)
        run = tf.function(self.weights, input_signature=[self._id_specs], autograph=False)
        shapes = [found.shape for found in run.get_concrete_function().structured_outputs]

        def read(texts: Tensors, part: int = 0) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
            found = tokenize(texts) if texts.keys() == self._text_specs.keys() else alone(texts)
            ids = {name: found[name] for name in self._id_specs}
            if problem.reads in SEVERAL_ROWS:  # the network reads an example's rows together
                return found, run(ids)[part]
            outputs = run_in_groups(
                lambda group: run(group)[part],
                ids,
                pad_id=self._pad_id,
                sizes=self.lengths,
                shape=shapes[part],
            )
            return found, outputs

        def predict(**texts: tf.Tensor) -> Tensors:
            found, logits = read(texts)
            return self._answers(texts, found, logits)

        def classify(inputs: tf.Tensor) -> Tensors:
            found, logits = read(self._parse(inputs))
            return problem.classes(self._combine(logits, found))

        def embed(**texts: tf.Tensor) -> Tensors:
            found, states = read(texts, part=1)
            return {"embedding": self._combine(states, found)}

        def from_ids(**ids: tf.Tensor) -> Tensors:
            logits = run(ids)[0]
            return {"logits": logits, problem.output: problem.activate(logits)}

        def explain(**texts: tf.Tensor) -> Tensors:
            ids = tokenize(texts)
            return self._explanation(ids, run(ids)[0])

        def token_counts(**texts: tf.Tensor) -> Tensors:
            return self._token_counts(self.text_layer(texts["text"], texts.get("pair")))

        predict_function = _trace(predict, self._text_specs)
        examples = {"inputs": tf.TensorSpec([None], tf.string, "inputs")}
        found = {
            "serving_default": predict_function,
            "token_counts": _trace(token_counts, self._text_specs),
            **({CLASSIFY: _trace(classify, examples)} if problem.has_classes else {}),
        }
        if problem.reads not in SEVERAL_ROWS:  # they have no signature that takes rows
            found["token_ids"] = _trace(from_ids, self._id_specs)
        if len(shapes) > 1 and (inputs := self._embedded()):
            found["embed"] = _trace(embed, inputs)
        if "pair" in self._text_specs:
            found["pair"] = predict_function
        if self._explain_steps is not None:
            found["explain"] = _trace(explain, self._text_specs)
        return found

    def _answers(self, texts: Tensors, found: Any, logits: tf.Tensor) -> Tensors:
        """Return the outputs of `serving_default`.

        Args:
            texts: its inputs.
            found: the outputs of the text layer.
            logits: those of the network.
        """
        problem = self._problem
        if problem.reads == "contexts":
            return problem.served_contexts(logits, texts["pair"], found)
        if problem.reads == "options":
            options = split(texts["pair"], len(problem.names)).texts
            return problem.served_options(logits, options)
        if problem.reads == "words":
            return problem.served_words(*self._words(found, logits, texts["text"]))
        return problem.served(self._combine(logits, found))

    def _embedded(self) -> dict[str, tf.TensorSpec]:
        """Return the inputs of `embed`; none if there is no such signature."""
        if self.each_text:
            return {"text": self._text_specs["text"]}
        # Of several rows of a text, only their outputs are combined.
        reads = self._problem.reads
        is_one_row = reads == "texts" or (reads == "words" and not self._cuts_windows)
        return self._text_specs if is_one_row else {}

    def _tokenize(self, texts: Tensors) -> dict[str, tf.Tensor]:
        found = self.text_layer(texts["text"], texts.get("pair"))
        windows = {name: cast(tf.Tensor, found[name]) for name in COUNTS if name in found}
        ragged = {name: value for name, value in found.items() if name not in windows}
        return self._unredacted(texts, windows | pad(ragged, sizes=self.lengths, fill=self._fill))

    def _unredacted(self, texts: Tensors, found: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return rows whose words are positions in the original texts, not in redacted ones."""
        redaction = self.text_layer.redaction
        if redaction is None or WORDS[0] not in found:
            return found
        places = Places(redaction, texts["pair" if self._problem.reads == "contexts" else "text"])
        counts = found.get("window_counts")
        rows = None if counts is None else tf.repeat(tf.range(tf.size(counts)), counts)
        starts, ends = (found[name] for name in WORDS)
        moved = places.original(starts, ends, rows)
        return {**found, **dict(zip(WORDS, moved, strict=True))}

    def _token_counts(self, found: Mapping[str, tf.RaggedTensor]) -> Tensors:
        """Return the tokens of each text that the network reads, and the unknown ones of them."""
        ids, unknown_id = found["token_ids"], self.text_layer.tokenizer.unknown_id
        is_unknown = ids.flat_values == (-1 if unknown_id is None else unknown_id)
        unknown = ids.with_flat_values(tf.cast(is_unknown, tf.int32))
        rows = {"tokens": tf.cast(ids.row_lengths(), tf.int32)}
        rows["unknown"] = tf.reduce_sum(unknown, axis=1)
        counts = found.get("window_counts")
        return {name: self._sum_rows(values, counts) for name, values in rows.items()}

    def _sum_rows(self, values: tf.Tensor, counts: Any) -> tf.Tensor:
        """Return the sums over the rows of each text, [batch]."""
        if counts is not None:
            factory: Any = tf.RaggedTensor
            windows = factory.from_row_lengths(values, tf.cast(counts, tf.int64), validate=False)
            return tf.reduce_sum(windows, axis=1)
        options = self.text_layer.options
        rows = options if options is not None else 2 if self.each_text else 1
        return tf.reduce_sum(tf.reshape(values, [-1, rows]), axis=1)

    def _combine(self, outputs: tf.Tensor, found: Tensors) -> tf.Tensor:
        """Return the outputs for texts, from those for their windows if they have any."""
        if not isinstance(self.text_layer.truncation, Windows):
            return outputs
        return self.text_layer.truncation.combine_outputs(outputs, found["window_counts"])

    def _words(self, found: Tensors, logits: tf.Tensor, texts: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Return logits, texts, and where words are; all windows of a text as one row."""
        starts, ends = (found[name] for name in WORDS)
        if not self._cuts_windows:
            return logits, texts, starts, ends
        fills = ((logits, 0), (starts, NO_WORD), (ends, NO_WORD))
        logits, starts, ends = (join_rows(part, found["window_counts"], f) for part, f in fills)
        return logits, texts, starts, ends

    def _parse(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the texts in serialized `tf.Example`s; a missing text is an error."""
        features = {name: tf.io.FixedLenFeature([], tf.string) for name in self._text_specs}
        return cast(dict[str, tf.Tensor], tf.io.parse_example(examples, features))

    def _explanation(self, ids: Tensors, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        tokenizer, token_ids = self.text_layer.tokenizer, ids["token_ids"]
        assert self._explain_steps is not None, "there is a signature `explain`"
        attribute = IntegratedGradients(
            weights=cast(Weights, self.weights),
            evidence=self._problem.evidence,
            pad_id=tokenizer.pad_id,
            special_ids=tokenizer.special_ids,
            steps=self._explain_steps,
        )
        attributions, gap = attribute(dict(ids), tf.argmax(logits, axis=-1))
        tokens = tf.gather(tf.constant(self._vocabulary), token_ids)
        return {
            **self._problem.served(logits),
            "tokens": tf.where(token_ids == tokenizer.pad_id, "", tokens),
            "attributions": attributions,
            "gap": gap,
        }


def _trace(
    function: Callable[..., Tensors], specs: Mapping[str, tf.TensorSpec]
) -> ConcreteFunction:
    return tf.function(function, autograph=False).get_concrete_function(**specs)
