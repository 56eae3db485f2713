"""A model of a few ops, with the signatures of ftkeras' exports and some unusual ones."""

import pathlib
import sys

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from ftkeras.problems.multi_label import MultiLabel

LABELS = ["negative", "positive"]
METHODS = {"classify": "tensorflow/serving/classify", "regress": "tensorflow/serving/regress"}
TEXT = {"text": tf.TensorSpec([None], tf.string, "text")}
EXAMPLES = {"inputs": tf.TensorSpec([None], tf.string, "inputs")}
MODELS_CONFIG = """model_config_list {
  config {
    name: "tiny"
    base_path: "%s"
    model_platform: "tensorflow"
    model_version_policy { specific { versions: 1 versions: 2 } }
    version_labels { key: "stable" value: 1 }
  }
}
"""


class Tiny(tf.Module):
    """Count `good` and `bad`; the log-odds of `positive` are the difference."""

    def __init__(self, version: int):
        super().__init__()
        self.version = tf.Variable(version, dtype=tf.int64, trainable=False)

    def _logits(self, text):
        def count(word):
            left = tf.strings.regex_replace(text, word, "")
            removed = tf.strings.length(text) - tf.strings.length(left)
            return tf.cast(removed, tf.float32) / len(word)

        good, bad = count("good"), count("bad")
        return tf.stack([tf.zeros_like(good), good - bad], axis=-1)

    def _answer(self, logits):
        probabilities = tf.nn.softmax(logits)
        return {
            "label": tf.gather(tf.constant(LABELS), tf.argmax(logits, axis=-1)),
            "score": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
        }

    def _text_of(self, inputs):
        features = {"text": tf.io.FixedLenFeature([], tf.string)}
        return tf.io.parse_example(inputs, features)["text"]

    def signatures(self) -> dict:
        """Return the functions by signature name."""

        def from_ids(token_ids):
            total = tf.cast(tf.reduce_sum(token_ids, axis=-1), tf.float32)
            logits = tf.stack([tf.zeros_like(total), total], axis=-1)
            return {"logits": logits, "probabilities": tf.nn.softmax(logits)}

        def classify(inputs):
            scores = tf.nn.softmax(self._logits(self._text_of(inputs)))
            classes = tf.repeat(tf.constant([LABELS]), tf.shape(scores)[0], axis=0)
            return {"classes": classes, "scores": scores}

        def regress(inputs):
            return {"outputs": self._logits(self._text_of(inputs))[:, 1]}

        def every_type(number, whole, yes, word):
            return {
                "number": number / 2,
                "whole": whole + 1,
                "no": tf.logical_not(yes),
                "word": word,
                "word_bytes": word,
            }

        ids = tf.TensorSpec([None, None], tf.int32, "token_ids")
        return {
            "serving_default": _trace(lambda text: self._answer(self._logits(text)), **TEXT),
            "token_ids": _trace(from_ids, token_ids=ids),
            "classify": _trace(classify, **EXAMPLES),
            "regress": _trace(regress, **EXAMPLES),
            "pair": _trace(
                lambda text, pair: {"joined": tf.strings.join([text, pair])},
                **TEXT,
                pair=tf.TensorSpec([None], tf.string, "pair"),
            ),
            "version": _trace(lambda text: {"version": self.version + self._zeros(text)}, **TEXT),
            "odd": _trace(
                every_type,
                number=tf.TensorSpec([None, 2], tf.float32, "number"),
                whole=tf.TensorSpec([None], tf.int64, "whole"),
                yes=tf.TensorSpec([None], tf.bool, "yes"),
                word=tf.TensorSpec([None], tf.string, "word"),
            ),
        }

    def _zeros(self, text):
        return tf.zeros_like(tf.strings.length(text), tf.int64)


def _trace(function, **specs):
    return tf.function(function, autograph=False).get_concrete_function(**specs)


class Numbers(Tiny):
    """Predict numbers from the counts: their difference, and with `several` that of `bad`."""

    def __init__(self, several: bool):
        super().__init__(version=1)
        self._several = several

    def signatures(self) -> dict:
        """Return the only signature, with the outputs of a regression's export."""

        def predict(text):
            score = 3 + self._logits(text)[:, 1:]
            values = tf.concat([score, -score], axis=1) if self._several else score
            names = tf.constant([["score", "price"][: values.shape[1]]])
            return {"values": values, "names": tf.repeat(names, tf.shape(text)[0], axis=0)}

        return {"serving_default": _trace(predict, **TEXT)}


class Cosines(Tiny):
    """Compare two texts by their counts."""

    def signatures(self) -> dict:
        """Return the only signature, with the outputs of an export of sentence embeddings."""

        def predict(text, pair):
            margins = self._logits(text)[:, 1] * self._logits(pair)[:, 1]
            return {"cosine": tf.tanh(margins)}

        pair = {"pair": tf.TensorSpec([None], tf.string, "pair")}
        return {"serving_default": _trace(predict, **TEXT, **pair)}


class Decisions(Tiny):
    """Decide three labels from the counts, each with a threshold of its own."""

    def signatures(self) -> dict:
        """Return the only signature, with the outputs of a multi-label classifier's export."""
        problem = MultiLabel(labels=("nice", "nasty", "long"))
        problem.override_threshold("nice=0.6,nasty=0.3,long=0.9")

        def predict(text):
            margin = self._logits(text)[:, 1:]
            return problem.served(tf.concat([margin, -margin, tf.zeros_like(margin)], axis=1))

        return {"serving_default": _trace(predict, **TEXT)}


class Entities(tf.Module):
    """Find the first `Anna` in each text, as a named entity recognizer's export does."""

    def signatures(self) -> dict:
        """Return the only signature."""

        def predict(text):
            before = tf.strings.regex_replace(text, "(?s)Anna.*", "")
            start = tf.strings.length(before, unit="UTF8_CHAR")[:, tf.newaxis]
            count = tf.cast(before != text, tf.int32)
            one = tf.ones_like(start)
            return {
                "types": tf.fill(tf.shape(start), "PER"),
                "texts": tf.fill(tf.shape(start), "Anna"),
                "starts": start,
                "ends": start + 4 * one,
                "scores": tf.cast(one, tf.float32) / 2,
                "count": count,
            }

        return {"serving_default": _trace(predict, **TEXT)}


class Answers(tf.Module):
    """Answer with the first `Anna` in each context, as a question answerer's export does."""

    def signatures(self) -> dict:
        """Return the only signature."""

        def predict(text, pair):
            before = tf.strings.regex_replace(pair, "(?s)Anna.*", "")
            found = (before != pair) & (text != "")
            start = tf.where(found, tf.strings.length(before, unit="UTF8_CHAR"), -1)
            half, end = tf.fill(tf.shape(start), 0.5), tf.where(found, start + 4, -1)
            answer = tf.where(found, "Anna", "")
            answers, count = tf.stack([answer, answer], 1), tf.cast(found, tf.int32)
            return {
                **{"answer": answer, "start": start, "end": end, "score": half},
                **{"answers": answers, "starts": tf.stack([start, start], 1), "count": count},
                **{"ends": tf.stack([end, end], 1), "scores": tf.stack([half, half], 1)},
                "null_score_diff": half,
            }

        specs = {name: tf.TensorSpec([None], tf.string, name) for name in ("text", "pair")}
        return {"serving_default": _trace(predict, **specs)}


def save(folder: pathlib.Path, version: int) -> pathlib.Path:
    """Write a version to `<folder>/<version>`, which appears complete, as an export does."""
    model, draft = Tiny(version), folder / f".{version}.partial"
    tf.saved_model.save(model, str(draft), model.signatures())
    path = draft / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for name, method in METHODS.items():
        saved.meta_graphs[0].signature_def[name].method_name = method
    path.write_bytes(saved.SerializeToString())
    return draft.rename(folder / str(version))


def main(folder: pathlib.Path) -> None:
    """Write two versions and a models.config, for a server to run the conformance tests with."""
    for version in (1, 2):
        save(folder / "tiny", version)
    config = MODELS_CONFIG % (folder.resolve() / "tiny")
    (folder / "models.config").write_text(config, encoding="utf-8")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
