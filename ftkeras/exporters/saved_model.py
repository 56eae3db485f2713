import pathlib

import tensorflow as tf

from ftkeras import files


class SavedModel:
    """A SavedModel that takes strings: `<served_from>/<next free version>/`.

    Signatures (tensors, shapes):
        serving_default: `text` string [batch] (with `pair` string [batch], where the task has
            pairs) -> `label` string [batch], `score` float32 [batch], the label's probability,
            `probabilities` float32 [batch, classes].
        token_ids: `token_ids` int32 [batch, length], padded with the id of [PAD] (with
            `segment_ids`, likewise) -> `logits`, `probabilities` float32 [batch, classes].

    The text layer that trained is the one inside. The folder appears whole, by a rename, so a
    server that watches `served_from` never sees half a model. It loads with TensorFlow and
    tensorflow_text alone; nothing in it is compiled by XLA, which TF Serving on GPUs can't load
    (tensorflow/serving#2214).

    Args:
        model: token ids to logits.
        text_layer: texts to token ids.
        labels: a class's name by its index.
        pairs: whether texts come in pairs.
        served_from: the folder that holds the versions.
    """

    def __init__(self, *, model, text_layer, labels, pairs: bool, served_from: pathlib.Path):
        self.model, self.text_layer, self.labels = model, text_layer, labels
        self.pairs, self.served_from = pairs, served_from

    def write(self) -> pathlib.Path:
        """Writes the next version and returns its folder."""
        served = _Served(self.model, self.text_layer, self.labels)
        signatures = served.signatures(pairs=self.pairs)
        with files.next_version(self.served_from) as version:
            tf.saved_model.save(served, str(version.draft), signatures)
        return version.path


class _Served(tf.Module):
    """What is saved: the variables, the text layer, and the functions over them."""

    def __init__(self, model, text_layer, labels: tuple[str, ...]):
        super().__init__(name="served")
        self.model_variables = [variable.value for variable in model.kept]
        self.text_layer = text_layer
        # Held by a function, not by an attribute: tracked, the Keras model would be saved as well.
        self._call = lambda inputs: model(inputs, training=False)
        self._pad_id, self._labels = model.pad_id, list(labels)

    def signatures(self, *, pairs: bool) -> dict:
        """The functions by signature name, with their inputs fixed."""
        texts = {"text": tf.TensorSpec([None], tf.string, "text")}
        ids = {"token_ids": tf.TensorSpec([None, None], tf.int32, "token_ids")}
        if pairs:
            texts["pair"] = tf.TensorSpec([None], tf.string, "pair")
            ids["segment_ids"] = tf.TensorSpec([None, None], tf.int32, "segment_ids")
        return {
            "serving_default": tf.function(self._of_texts).get_concrete_function(**texts),
            "token_ids": tf.function(self._of_ids).get_concrete_function(**ids),
        }

    def _of_texts(self, text, pair=None):
        padding = {"token_ids": self._pad_id, "segment_ids": 0}
        ragged = self.text_layer(text, pair)
        inputs = {name: ids.to_tensor(padding[name]) for name, ids in ragged.items()}
        probabilities = tf.nn.softmax(tf.cast(self._call(inputs), tf.float32))
        best = tf.argmax(probabilities, axis=-1)
        return {
            "label": tf.gather(tf.constant(self._labels), best),
            "score": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
        }

    def _of_ids(self, **inputs):
        logits = tf.cast(self._call(inputs), tf.float32)
        return {"logits": logits, "probabilities": tf.nn.softmax(logits)}
