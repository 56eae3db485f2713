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
from ftkeras.text import ragged_tensors
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
        self.weights, self.text_layer, self.problem = weights, text_layer, problem
        self.lengths, self.explain_steps = lengths(text_layer.max_length), explain_steps
        texts = ("text", "pair") if pairs else ("text",)
        segments = pairs and text_layer.segments
        ids = ("token_ids", "segment_ids") if segments else ("token_ids",)
        self.text_specs = {name: tf.TensorSpec([None], tf.string, name) for name in texts}
        self.id_specs = {name: tf.TensorSpec([None, None], tf.int32, name) for name in ids}

    @property
    def each_text(self) -> bool:
        """True if each text of a pair is a row of its own."""
        return self.text_layer.each_text

    @property
    def text_names(self) -> tuple[str, ...]:
        """The inputs of the signatures that take texts."""
        return tuple(self.text_specs)

    def token_ids(self, texts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return texts as the inputs of the signature `token_ids`, padded as when served."""
        rows = self.tokenize({name: tf.constant(text) for name, text in texts.items()})
        return {name: rows[name].numpy() for name in self.id_specs}

    def signatures(self) -> dict[str, ConcreteFunction]:
        """Return the functions by signature name, traced for their inputs."""
        functions, texts = _Functions(self), self.text_specs
        predict = _trace(functions.predict, texts)
        traced = {
            "serving_default": predict,
            "token_counts": _trace(functions.token_counts, texts),
        }
        if self.problem.has_classes:
            examples = {"inputs": tf.TensorSpec([None], tf.string, "inputs")}
            traced[CLASSIFY] = _trace(functions.classify, examples)
        if self.problem.reads not in SEVERAL_ROWS:  # they have no signature that takes rows
            traced["token_ids"] = _trace(functions.from_ids, self.id_specs)
        if functions.returns_states and (inputs := self._embedded()):
            traced["embed"] = _trace(functions.embed, inputs)
        if "pair" in texts:
            traced["pair"] = predict
        if self.explain_steps is not None:
            traced["explain"] = _trace(functions.explain, texts)
        return traced

    def serving_default(self) -> ConcreteFunction:
        """Return the function of this signature alone, traced for its inputs."""
        return _trace(_Functions(self).predict, self.text_specs)

    def _embedded(self) -> dict[str, tf.TensorSpec]:
        """Return the inputs of `embed`; none if there is no such signature."""
        if self.each_text:
            return {"text": self.text_specs["text"]}
        # Of several rows of a text, only their outputs are combined.
        reads, cuts_windows = self.problem.reads, self.text_layer.truncation.cuts_windows
        is_one_row = reads == "texts" or (reads == "words" and not cuts_windows)
        return self.text_specs if is_one_row else {}

    def tokenize(self, texts: Tensors) -> dict[str, tf.Tensor]:
        """Return the rows of texts: the outputs of the text layer, padded."""
        rows = self.text_layer(texts["text"], texts.get("pair"))
        windows = {name: cast(tf.Tensor, rows[name]) for name in COUNTS if name in rows}
        ragged = {name: values for name, values in rows.items() if name not in windows}
        fill = {"token_ids": self.text_layer.tokenizer.pad_id, "segment_ids": 0}
        padded = pad(ragged, sizes=self.lengths, fill=fill | dict.fromkeys(WORDS, NO_WORD))
        return self._unredacted(texts, windows | padded)

    def _unredacted(self, texts: Tensors, rows: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return rows whose words are positions in the original texts, not in redacted ones."""
        redaction = self.text_layer.redaction
        if redaction is None or WORDS[0] not in rows:
            return rows
        places = Places(redaction, texts["pair" if self.problem.reads == "contexts" else "text"])
        counts = rows.get("window_counts")
        row_texts = None if counts is None else tf.repeat(tf.range(tf.size(counts)), counts)
        starts, ends = (rows[name] for name in WORDS)
        moved = places.original(starts, ends, row_texts)
        return {**rows, **dict(zip(WORDS, moved, strict=True))}


class _Functions:
    """The functions of the signatures, before they are traced.

    Args:
        served: The module that is saved with them.
    """

    def __init__(self, served: Served):
        self._served, self._problem, self._text_layer = served, served.problem, served.text_layer
        self._tokenize = _function(served.tokenize, served.text_specs)
        # For `embed`, which reads each text of a pair alone if it is a row of its own.
        self._tokenize_alone = _function(served.tokenize, {"text": served.text_specs["text"]})
        self._run = _function(served.weights, served.id_specs)
        outputs = self._run.get_concrete_function().structured_outputs
        self._shapes = [output.shape for output in outputs]

    @property
    def returns_states(self) -> bool:
        """True if the network also returns the input of its head."""
        return len(self._shapes) > 1

    def predict(self, **texts: tf.Tensor) -> Tensors:
        """Return the answers to texts."""
        rows, logits = self._read(texts)
        problem = self._problem
        if problem.reads == "contexts":
            return problem.served_contexts(logits, texts["pair"], rows)
        if problem.reads == "options":
            options = split(texts["pair"], len(problem.names)).texts
            return problem.served_options(logits, options)
        if problem.reads == "words":
            return problem.served_words(*self._words(rows, logits, texts["text"]))
        return problem.served(self._combine(logits, rows))

    def classify(self, inputs: tf.Tensor) -> Tensors:
        """Return the classes of the texts in serialized `tf.Example`s."""
        rows, logits = self._read(self._parse(inputs))
        return self._problem.classes(self._combine(logits, rows))

    def embed(self, **texts: tf.Tensor) -> Tensors:
        """Return the input of the head for texts."""
        rows, states = self._read(texts, part=1)
        return {"embedding": self._combine(states, rows)}

    def from_ids(self, **ids: tf.Tensor) -> Tensors:
        """Return the outputs for token ids."""
        logits = self._run(ids)[0]
        return {"logits": logits, self._problem.output: self._problem.activate(logits)}

    def explain(self, **texts: tf.Tensor) -> Tensors:
        """Return the answers to texts, and what each token contributes to the largest output."""
        assert self._served.explain_steps is not None, "there is a signature `explain`"
        tokenizer, ids = self._text_layer.tokenizer, self._tokenize(texts)
        token_ids, logits = ids["token_ids"], self._run(ids)[0]
        attribute = IntegratedGradients(
            weights=cast(Weights, self._served.weights),
            evidence=self._problem.evidence,
            pad_id=tokenizer.pad_id,
            special_ids=tokenizer.special_ids,
            steps=self._served.explain_steps,
        )
        chosen = tf.argmax(logits, axis=-1)
        attributions, gap = attribute(dict(ids), chosen)
        tokens = tf.gather(tf.constant(list(tokenizer.vocabulary)), token_ids)
        return {
            **self._problem.served(logits),
            "explained": tf.gather(tf.constant(list(self._problem.names)), chosen),
            "tokens": tf.where(token_ids == tokenizer.pad_id, "", tokens),
            "attributions": attributions,
            "gap": gap,
        }

    def token_counts(self, **texts: tf.Tensor) -> Tensors:
        """Return the tokens of each text that the network reads, and the unknown ones of them."""
        rows = self._text_layer(texts["text"], texts.get("pair"))
        ids, unknown_id = rows["token_ids"], self._text_layer.tokenizer.unknown_id
        is_unknown = ids.flat_values == (-1 if unknown_id is None else unknown_id)
        unknown = ids.with_flat_values(tf.cast(is_unknown, tf.int32))
        counts = {
            "tokens": tf.cast(ids.row_lengths(), tf.int32),
            "unknown": tf.reduce_sum(unknown, axis=1),
        }
        windows = rows.get("window_counts")
        return {name: self._sum_rows(values, windows) for name, values in counts.items()}

    def _read(self, texts: Tensors, part: int = 0) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Return the rows of texts, and one of the network's outputs for them.

        Args:
            texts: the inputs of the signature.
            part: 0 for logits, 1 for the input of the head.
        """
        takes_all = texts.keys() == self._served.text_specs.keys()
        rows = self._tokenize(texts) if takes_all else self._tokenize_alone(texts)
        ids = {name: rows[name] for name in self._served.id_specs}
        if self._problem.reads in SEVERAL_ROWS:  # the network reads an example's rows together
            return rows, self._run(ids)[part]
        outputs = run_in_groups(
            lambda group: self._run(group)[part],
            ids,
            pad_id=self._text_layer.tokenizer.pad_id,
            sizes=self._served.lengths,
            shape=self._shapes[part],
        )
        return rows, outputs

    def _parse(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the texts in serialized `tf.Example`s; a missing text is an error."""
        features = {name: tf.io.FixedLenFeature([], tf.string) for name in self._served.text_specs}
        return cast(dict[str, tf.Tensor], tf.io.parse_example(examples, features))

    def _combine(self, outputs: tf.Tensor, rows: Tensors) -> tf.Tensor:
        """Return the outputs for texts, from those for their windows if they have any."""
        truncation = self._text_layer.truncation
        if not isinstance(truncation, Windows):
            return outputs
        return truncation.combine_outputs(outputs, rows["window_counts"])

    def _words(self, rows: Tensors, logits: tf.Tensor, texts: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Return logits, texts, and where words are; all windows of a text as one row."""
        starts, ends = (rows[name] for name in WORDS)
        if not self._text_layer.truncation.cuts_windows:
            return logits, texts, starts, ends
        fills = ((logits, 0), (starts, NO_WORD), (ends, NO_WORD))
        logits, starts, ends = (join_rows(part, rows["window_counts"], f) for part, f in fills)
        return logits, texts, starts, ends

    def _sum_rows(self, values: tf.Tensor, windows: Any) -> tf.Tensor:
        """Return the sums over the rows of each text, [batch].

        Args:
            values: one of each row.
            windows: how many windows each text has; None if texts are not cut into windows.
        """
        if windows is not None:
            by_text = ragged_tensors.from_row_lengths(values, tf.cast(windows, tf.int64))
            return tf.reduce_sum(by_text, axis=1)
        options = self._text_layer.options
        rows = options if options is not None else 2 if self._text_layer.each_text else 1
        return tf.reduce_sum(tf.reshape(values, [-1, rows]), axis=1)


def _function(function: Callable[..., Any], specs: Mapping[str, tf.TensorSpec]) -> Any:
    """Return a graph function of one argument, a dictionary of tensors; signatures share it."""
    return tf.function(function, input_signature=[specs], autograph=False)


def _trace(
    function: Callable[..., Tensors], specs: Mapping[str, tf.TensorSpec]
) -> ConcreteFunction:
    return tf.function(function, autograph=False).get_concrete_function(**specs)
