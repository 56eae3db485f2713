"""Explain the answers of a finished run's model, with its gradients."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.data.tables.texts import encode
from ftkeras.errors import UserError
from ftkeras.experiment import answering
from ftkeras.experiment.definition import Experiment
from ftkeras.explanations.integrated_gradients import IntegratedGradients
from ftkeras.text.truncations.windows import Windows
from ftkeras.text.words import NO_WORD, WORDS
from ftkeras.training.finetuner import FineTuner

DEFAULT_STEPS = 32
Texts = Mapping[str, str]
IDS = ("token_ids", "segment_ids")


class RunModel:
    """The model of a run; fulfils `explaining.Explainable`.

    Args:
        experiment: with the run's weights.
        steps: points at which gradients are taken; at least 1.
        batch_size: the most texts, or occluded texts, in a batch; positive.

    Attributes:
        problem: what the model was trained for.
        explains_any: True.

    Raises:
        ValueError: if `steps` is not positive.
    """

    explains_any = True

    def __init__(self, experiment: Experiment, *, steps: int = DEFAULT_STEPS, batch_size: int = 32):
        self.problem, self._layer = experiment.problem, experiment.text_layer
        self._pairs, self._batch_size = experiment.pairs, batch_size
        network, tokenizer = _Network(experiment.model), self._layer.tokenizer
        self._run = tf.function(lambda ids: network(ids)[0], autograph=False, reduce_retracing=True)
        attribute = IntegratedGradients(
            weights=network,
            evidence=self.problem.evidence,
            pad_id=tokenizer.pad_id,
            special_ids=tokenizer.special_ids,
            steps=steps,
        )
        self._attribute = tf.function(attribute, autograph=False, reduce_retracing=True)

    def answer(self, texts: Sequence[Texts]) -> list[dict[str, Any]]:
        """Return the outputs of `serving_default` for each text, as an export gives them."""
        answers: list[dict[str, Any]] = []
        for batch in self._batches(texts):
            read = self._read(batch)
            served = {n: v.numpy().tolist() for n, v in self._serve(batch, read).items()}
            rows = zip(*served.values(), strict=True)
            answers += [dict(zip(served, row, strict=True)) for row in rows]
        return answers

    def _serve(self, texts: Sequence[Texts], read: Mapping[str, Any]) -> Mapping[str, tf.Tensor]:
        outputs = self._run(_dense(read, self._layer.tokenizer.pad_id))
        if self.problem.reads == "contexts":
            contexts = tf.constant([encode(text["pair"]) for text in texts])
            return self.problem.served_contexts(outputs, contexts, _places(read))
        if isinstance(self._layer.truncation, Windows):
            outputs = self._layer.truncation.combine_outputs(outputs, read["window_counts"])
        return self.problem.served(outputs)

    def attribute(self, texts: Sequence[Texts], chosen: Sequence[int]) -> list[dict[str, Any]]:
        """Return "tokens", "attributions" and "gap" of one output for each text.

        Raises:
            UserError: if texts are cut into windows.
        """
        if self._layer.truncation.cuts_windows:
            raise UserError(
                "method=integrated_gradients explains texts in one piece, but this run cuts them "
                "into windows; use `method`=occlusion."
            )
        attributions = []
        for batch, numbers in zip(self._batches(texts), self._batches(chosen), strict=True):
            read = self._read(batch)
            ids = _dense(read, self._layer.tokenizer.pad_id)
            lengths = read["token_ids"].row_lengths()
            attributions += self._attributions(ids, lengths, tf.constant(numbers, tf.int64))
        return attributions

    def attribute_spans(self, texts: Sequence[Texts]) -> list[dict[str, Any]]:
        """Return the contribution of each token to the answer; see `explaining.Explainable`."""
        attributions = []
        for batch in self._batches(texts):
            read = self._read(batch)
            ids, places = _dense(read, self._layer.tokenizer.pad_id), _places(read)
            windows, spans = self.problem.explained_spans(self._run(ids), places)
            chosen = {name: tf.gather(part, windows) for name, part in ids.items()}
            lengths = tf.gather(read["token_ids"].row_lengths(), windows)
            rows = self._attributions(chosen, lengths, spans)
            starts, ends = (
                tf.gather(places[n], windows).numpy() for n in ("word_starts", "word_ends")
            )
            for row, span, first, last in zip(rows, spans.numpy(), starts, ends, strict=True):
                inside = last >= 0
                limits = (int(first[inside].min()), int(last.max())) if inside.any() else (0, 0)
                attributions.append(
                    {**row, "explained": "answer" if span else "no answer", "part": limits}
                )
        return attributions

    def _attributions(
        self, ids: dict[str, tf.Tensor], lengths: tf.Tensor, chosen: tf.Tensor
    ) -> list[dict[str, Any]]:
        """Return the attributions of rows that have these lengths without padding."""
        vocabulary = np.array(self._layer.tokenizer.vocabulary, object)
        parts = (ids["token_ids"], *self._attribute(ids, chosen), lengths)
        return [
            {
                "tokens": vocabulary[row[:n]].tolist(),
                "attributions": own[:n].tolist(),
                "gap": float(gap),
            }
            for row, own, gap, n in zip(*(part.numpy() for part in parts), strict=True)
        ]

    def _batches(self, items: Sequence[Any]) -> list[Sequence[Any]]:
        size = self._batch_size
        return [items[first : first + size] for first in range(0, len(items), size)]

    def _read(self, texts: Sequence[Texts]) -> dict[str, Any]:
        names = ("text", "pair") if self._pairs else ("text",)
        for text in texts:
            if set(text) != set(names):
                takes = "pairs of texts" if self._pairs else "single texts, not pairs"
                raise UserError(f"the run's model takes {takes}.")
        return self._layer(*(tf.constant([encode(text[n]) for text in texts]) for n in names))


def open_run(run_dir: pathlib.Path, **options: Any) -> RunModel:
    """Return the model of a finished run.

    Args:
        run_dir: the run's folder.
        **options: `steps` and `batch_size` of `RunModel`.

    Raises:
        UserError: if it is not the folder of a run, or the run kept no weights.
    """
    experiment = answering.open_run(run_dir)
    if not (experiment.problem.explains or experiment.problem.explains_spans):
        kind = experiment.problem.kind
        raise UserError(f"the answers of a {kind} can't be explained in this version.")
    return RunModel(experiment, **options)


def _dense(read: Mapping[str, Any], pad_id: int) -> dict[str, tf.Tensor]:
    fills = dict(zip(IDS, (pad_id, 0), strict=True))
    return {n: read[n].to_tensor(fills[n]) for n in IDS if n in read}


def _places(read: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Return the positions of tokens in their contexts, padded, and the counts of windows."""
    padded = {name: read[name].to_tensor(NO_WORD) for name in WORDS}
    return {**padded, **{name: read[name] for name in ("first_pieces", "window_counts")}}


class _Network:
    """A Keras model that can be called with changed token embeddings."""

    def __init__(self, model: FineTuner):
        self._model = model

    def embed(self, token_ids: tf.Tensor) -> tf.Tensor:
        return tf.gather(tf.convert_to_tensor(self._model.encoder.embeddings.token), token_ids)

    def __call__(
        self, inputs: dict[str, tf.Tensor], embedding_offset: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        model = self._model
        mask = tf.not_equal(inputs["token_ids"], model.pad_id)
        features = model.encoder(
            inputs["token_ids"],
            padding_mask=mask,
            segment_ids=inputs.get("segment_ids"),
            embedding_offset=embedding_offset,
            every_token=model.head.needs_every_token,
            training=False,
        )
        return model.head(features, mask, training=False), model.head.states(features, mask)
