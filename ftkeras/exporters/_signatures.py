"""What a SavedModel answers: the functions over the text layer and the weights, by signature."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from ftkeras.exporters._attribution import IntegratedGradients
from ftkeras.exporters._lengths import lengths, padded
from ftkeras.exporters._weights import Weights

CLASSIFY = "classify"


class Served(tf.Module):
    """What is saved: the weights, the text layer, and the functions over them.

    Reading texts and running the network are two functions that all signatures call, so each stands
    in the SavedModel once.

    Args:
        weights: the model.
        text_layer: texts to token ids.
        labels: a class's name by its index.
        pairs: whether texts come in pairs.
        explain_steps: points of the integral that `explain` sums; None for no such signature.
    """

    def __init__(
        self,
        *,
        weights: Weights,
        text_layer,
        labels: tuple[str, ...],
        pairs: bool,
        explain_steps: int | None = None,
    ):
        super().__init__(name="served")
        self.weights, self.text_layer = weights, text_layer
        wordpiece = text_layer.tokenizer
        self.lengths = lengths(text_layer.max_length)
        self._labels, self._vocabulary = list(labels), list(wordpiece.vocabulary)
        self._fill = {"token_ids": wordpiece.pad_id, "segment_ids": 0}
        texts, ids = (("text", "pair"), self._fill) if pairs else (("text",), ("token_ids",))
        self._texts = {name: tf.TensorSpec([None], tf.string, name) for name in texts}
        self._ids = {name: tf.TensorSpec([None, None], tf.int32, name) for name in ids}
        self._explain_steps = explain_steps

    @property
    def text_names(self) -> tuple[str, ...]:
        """What the signatures that read texts take."""
        return tuple(self._texts)

    def ids_of(self, texts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Texts as `token_ids` takes them, padded as they would be inside."""
        ids = self._read({name: tf.constant(text) for name, text in texts.items()})
        return {name: value.numpy() for name, value in ids.items()}

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """The functions by signature name, with their inputs fixed."""
        read = tf.function(self._read, input_signature=[self._texts], autograph=False)
        run = tf.function(self.weights, input_signature=[self._ids], autograph=False)

        def answer(**texts):
            return self._answer(run(read(texts))[0])

        def classify(inputs):
            return self._classes(run(read(self._parsed(inputs)))[0])

        def embed(**texts):
            return {"embedding": run(read(texts))[1]}

        def of_ids(**ids):
            logits = run(ids)[0]
            return {"logits": logits, "probabilities": tf.nn.softmax(logits)}

        def explain(**texts):
            ids = read(texts)
            return self._explained(ids, run(ids)[0])

        answered = _traced(answer, self._texts)
        found = {
            "serving_default": answered,
            "token_ids": _traced(of_ids, self._ids),
            CLASSIFY: _traced(classify, {"inputs": tf.TensorSpec([None], tf.string, "inputs")}),
            "embed": _traced(embed, self._texts),
        }
        if "pair" in self._texts:
            found["pair"] = answered
        if self._explain_steps is not None:
            found["explain"] = _traced(explain, self._texts)
        return found

    def _read(self, texts: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        ragged = self.text_layer(texts["text"], texts.get("pair"))
        return padded(ragged, sizes=self.lengths, fill=self._fill)

    def _parsed(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized `tf.Example`s -> their texts; one that lacks a text is an error."""
        features = {name: tf.io.FixedLenFeature([], tf.string) for name in self._texts}
        return tf.io.parse_example(examples, features)

    def _answer(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        probabilities = tf.nn.softmax(logits)
        best = tf.argmax(logits, axis=-1)
        return {
            "label": tf.gather(tf.constant(self._labels), best),
            "score": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
        }

    def _classes(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        labels = tf.constant([self._labels])
        return {
            "classes": tf.repeat(labels, tf.shape(logits)[0], axis=0),
            "scores": tf.nn.softmax(logits),
        }

    def _explained(self, ids: Mapping[str, tf.Tensor], logits: tf.Tensor) -> dict[str, tf.Tensor]:
        wordpiece, token_ids = self.text_layer.tokenizer, ids["token_ids"]
        attribute = IntegratedGradients(
            weights=self.weights,
            pad_id=wordpiece.pad_id,
            special_ids=[wordpiece.cls_id, wordpiece.sep_id],
            steps=self._explain_steps,
        )
        attributions, gap = attribute(ids, tf.argmax(logits, axis=-1))
        tokens = tf.gather(tf.constant(self._vocabulary), token_ids)
        return {
            **self._answer(logits),
            "tokens": tf.where(token_ids == wordpiece.pad_id, "", tokens),
            "attributions": attributions,
            "gap": gap,
        }


def _traced(function, specs: Mapping[str, tf.TensorSpec]):
    return tf.function(function, autograph=False).get_concrete_function(**specs)
