"""Token classification: entities, such as names, in a text."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ftkeras.errors import UserError
from ftkeras.problems import _digits, _entity_graph, _entity_report
from ftkeras.problems._base import LOSS, Loss, Measure
from ftkeras.problems._collation import per_example
from ftkeras.problems._comparison import Comparison
from ftkeras.problems._entities_page import EntitiesPage
from ftkeras.problems._entity_report import Span
from ftkeras.problems._one_of_several import OneOfSeveral
from ftkeras.problems._words import WordOutputs
from ftkeras.statistics.entity_predictions import EntityPredictions
from ftkeras.support import tags
from ftkeras.support.ragged import Ragged

Tensor = Any
PIECES = ("first", "all")


class TokenClassification(EntitiesPage, OneOfSeveral):
    """Find entities by a tag for each word.

    An answer is the entities of a text: type, start and end in characters. The words are those of
    `ftkeras.text.words`; the logits of a word are those of its first token. Of all sequences of
    tags that the scheme allows, the most probable one is the answer. If the head has transitions
    between tags, they count too. A model that has not read all words, because the text was too
    long, has found nothing in the rest.

    Args:
        labels: the names of the tags, O first; of the scheme BIO, or BIOES if there are E- and S-.
        pieces: which tokens of a word learn its tag: its first, or all; see `PIECES`.
    """

    kind = "named entity recognizer"
    head, heads = "token_classification", ("crf",)
    loss = "cross_entropy"
    losses = ("cross_entropy", "focal")
    metric = "f1"
    measures = (
        *map(Measure, ("f1", "precision", "recall", "accuracy", "exact_match")),
        LOSS,
    )
    columns = ("f1", "precision", "recall", "accuracy", "loss")
    reported: ClassVar = {"accuracy": "acc"}
    output, unit = "probabilities", "a score"
    target_dtype = "string"
    explains = False
    reads = "words"
    exporters: ClassVar = {
        "onnx": "its entities are found by operations that ONNX lacks",
        "litert": "its entities are found by operations that LiteRT lacks",
    }
    huggingface_class = "token_classification"
    pipeline = "token-classification"
    hub_metrics: ClassVar = {n: n for n in ("f1", "precision", "recall", "accuracy")}
    caveat = "Its scores are not calibrated"
    moved = staticmethod(tags.moved)

    def __init__(self, *, labels: Sequence[str], pieces: str = "first"):
        self.every_piece = pieces == "all"
        self.names, self.scheme = tuple(labels), tags.scheme(labels)
        self.loss_settings = {"classes": len(self.names)}
        self.types, self._transitions = tags.types(labels), None
        self._decoded: tuple[Any, list[_entity_graph.Decoded]] = (None, [])

    def state(self) -> dict:
        return {"problem": "token_classification"}

    def use_head(self, head: Any) -> None:
        """Use the transitions between tags, if the head has any."""
        if head.transitions is None:
            return
        if self.every_piece:
            raise UserError(
                "`head`: its transitions are between words, so it can't be combined with "
                "pieces='all'; use pieces='first'."
            )
        self._transitions = head.transitions
        self.loss_settings = {**self.loss_settings, "transitions": head.transitions}

    def collate(self, targets: np.ndarray, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Return the tags of a batch's tokens, and the mask of those that have one.

        Args:
            targets: the tag of each stored token, below 0 if it has none.
            positions: numbers of stored tokens, of any shape; below 0 for padding.
        """
        batch = per_example(targets, positions)
        mask = batch["example_mask"] & (batch["targets"] >= 0)
        # The loss of a chain has to know which words it links.
        nothing = 0 if self._transitions is None else -1
        return {"targets": np.where(mask, batch["targets"], nothing), "example_mask": mask}

    def token_targets(self, targets: Any, words: Any) -> np.ndarray:
        pairs = zip(targets, words, strict=True)
        rows = [tags.of_words(tags.decode(answer), spans, self.scheme) for answer, spans in pairs]
        return np.concatenate([np.zeros(0, np.int64), *rows])

    def are_finite(self, outputs: WordOutputs) -> np.ndarray:
        return np.array([np.isfinite(logits).all() for _, logits in outputs])

    def shortcoming(self, targets: Any) -> str | None:
        if any(len(answer) for answer in targets):
            return None
        return "have no entity; nothing can be learned from or evaluated on them"

    def summarize(self, targets: Any) -> dict:
        """Return how many entities there are of each type, and how many texts have none."""
        kinds_of_texts = [tags.decode(answer)[:, 0] for answer in targets]
        counts = np.bincount(np.concatenate(kinds_of_texts), minlength=len(self.types))
        entities = dict(zip(self.types, counts.tolist(), strict=True))
        without = sum(len(kinds) == 0 for kinds in kinds_of_texts)
        return {"examples": len(kinds_of_texts), "entities": entities, "without_entities": without}

    def summarize_words(self, targets: Any, words: Ragged) -> dict:
        """Return how many entities begin or end within a word, so that no answer is right."""
        return {"within_words": self._unreachable(targets, words)[1]}

    def metrics(self, targets: Any, outputs: WordOutputs, loss: Loss) -> dict:
        """Return the metrics of entities, as seqeval's strict mode has them, and of words.

        An entity is found if its type, start and end are right. `f1`, `precision` and `recall` are
        of all entities together; they are 0 if undefined. `exact_match` is the share of texts whose
        entities are all right, `accuracy` the share of words whose tag is the most probable one, or
        with transitions that of the answer.
        Source: https://github.com/chakki-works/seqeval.
        """
        wanted = self.token_targets(targets, outputs.spans)
        truth = self._truth(targets)
        predicted = [decoded.spans(self.types) for decoded in self._decode(outputs)]
        cut, crooked = self._unreachable(targets, outputs.spans)
        measured = _entity_report.measure(truth, predicted)
        return {
            **{name: measured[name] for name in _entity_report.METRICS},
            "accuracy": float((self._best_tags(outputs) == wanted).mean()),
            "exact_match": measured["exact_match"],
            "loss": self._loss(loss, wanted, outputs),
            "entities": measured["support"],
            "cut_off": cut,
            "within_words": crooked,
            "per_type": [_entity_report.of_type(kind, truth, predicted) for kind in self.types],
        }

    def _best_tags(self, outputs: WordOutputs) -> np.ndarray:
        if self._transitions is None:
            return outputs.logits.argmax(axis=1)
        return np.concatenate([decoded.tags for decoded in self._decode(outputs)])

    def _loss(self, loss: Loss, wanted: np.ndarray, outputs: WordOutputs) -> float:
        """Return the mean loss of a word."""
        import keras

        def mean(targets: np.ndarray, logits: np.ndarray) -> float:
            return float(keras.ops.convert_to_numpy(loss(targets, logits)))

        if self._transitions is None:
            return mean(wanted, outputs.logits)
        rows = outputs.padded(wanted, _entity_graph.TEXTS)
        return sum(mean(*row) * row[0].size for row in rows) / max(1, len(wanted))

    def decode(self, targets: Any, outputs: WordOutputs) -> list[dict]:
        """Return each text's entities, those that were found, and the tags of its words."""
        pairs = zip(self._truth(targets), self._decode(outputs), strict=True)
        return [
            {
                "entities": [_entity_report.span(*entity) for entity in truth],
                "predicted": [
                    {**_entity_report.span(*entity), "score": _digits.nine(score)}
                    for entity, score in zip(decoded.spans(self.types), decoded.scores, strict=True)
                ],
                "tags": [self.names[tag] for tag in decoded.tags],
            }
            for truth, decoded in pairs
        ]

    def predictions(self, rows: Sequence[Mapping[str, Any]]) -> EntityPredictions:
        truth, predicted = (
            [{(e["type"], e["start"], e["end"]) for e in row[name]} for row in rows]
            for name in ("entities", "predicted")
        )
        return EntityPredictions.compare(truth, predicted)

    def truth(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"entities": row["entities"]}

    def advice(self, metrics: Mapping[str, Any]) -> list[str]:
        """Return a note if the model finds no entity where there are some."""
        found = metrics.get("test", metrics.get("validation", {}))
        misses_all = found.get("f1") == 0 and found["entities"] > 0
        return [f"the model finds none of the {found['entities']:,} entities"] if misses_all else []

    def activate(self, outputs: Tensor) -> Tensor:
        """Return the probabilities of each token's tags, [batch, length, tags]."""
        import tensorflow as tf

        return tf.nn.softmax(outputs)

    def served_words(
        self, outputs: Tensor, texts: Tensor, starts: Tensor, ends: Tensor
    ) -> dict[str, Tensor]:
        """Return the entities of each text, padded to as many as the text with the most has.

        `types` and `texts`, string; `starts` and `ends`, int32, in characters of the text; and
        `scores`, float32, the mean probability of an entity's tags: all [batch, entities], of which
        the first `count`, int32 [batch], are entities. There is at least one column.
        """
        words = _entity_graph.of_words(outputs, starts, ends)
        entities = _entity_graph.find(self.names, *words, transitions=self._transition_scores())
        return _entity_graph.dense(entities, texts, self.types)

    def compare_served(self, samples: Sequence[dict], rows: Sequence[Mapping]) -> Comparison:
        """Compare an export's entities with the run's, and their scores.

        `logit_change` is the share of texts whose entities change, or the largest change of a score
        in the others if that is larger.
        """
        answers = [self.answer(row)["entities"] for row in rows]
        return _entity_report.compare([sample["predicted"] for sample in samples], answers)

    def answer(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        names = ("types", "texts", "starts", "ends", "scores")
        columns = (outputs[name][: outputs["count"]] for name in names)
        return {
            "entities": [
                {"type": _string(t), "text": _string(x), "start": int(s), "end": int(e), "score": p}
                for t, x, s, e, p in zip(*columns, strict=True)
            ]
        }

    def line(self, answer: Mapping[str, Any]) -> str:
        """Return the type and text of each entity; "-" if there is none."""
        entities = (f"{e['type']} {' '.join(e['text'].split())}" for e in answer["entities"])
        return "\t".join(entities) or "-"

    def answer_columns(self) -> dict[str, type]:
        """Return the column; tables of texts with their true entities may have `entities`."""
        return {"predicted_entities": str}

    def answer_cells(self, answer: Mapping[str, Any]) -> tuple:
        """Return the entities as JSON."""
        entities = [{**e, "score": _digits.seven(e["score"])} for e in answer["entities"]]
        return (json.dumps(entities, ensure_ascii=False),)

    def report(self, metrics: Mapping[str, Any], split: str, file: str) -> list[str]:
        """Return the metrics of each type, and which entities could not be found."""
        return _entity_report.lines(metrics[split], split)

    def misfit(self, config: Mapping[str, Any]) -> str | None:
        return None

    def huggingface_config(self) -> dict:
        return {
            "id2label": {str(index): name for index, name in enumerate(self.names)},
            "label2id": {name: index for index, name in enumerate(self.names)},
        }

    def describe(self) -> str:
        return f"finds entities of the types {', '.join(f'`{kind}`' for kind in self.types)}"

    def card_metrics(self, metrics: Mapping[str, Any], splits: Sequence[str]) -> str:
        return _entity_report.table(metrics, splits)

    def _truth(self, targets: Any) -> list[list[Span]]:
        return [
            [(self.types[kind], int(start), int(end)) for kind, start, end in tags.decode(answer)]
            for answer in targets
        ]

    def _decode(self, outputs: WordOutputs) -> "list[_entity_graph.Decoded]":
        """Return the entities in each text; the last result is kept, as metrics need it too."""
        if self._decoded[0] is not outputs:
            scores = self._transition_scores()
            self._decoded = (outputs, _entity_graph.decode(self.names, outputs, scores))
        return self._decoded[1]

    def _transition_scores(self) -> np.ndarray | None:
        """Return the transitions as they are now, which an export has as a constant."""
        import keras
        import tensorflow as tf

        if self._transitions is None:
            return None
        with tf.init_scope():  # also while an export is traced
            return keras.ops.convert_to_numpy(self._transitions)

    @staticmethod
    def _unreachable(targets: Any, words: Ragged) -> tuple[int, int]:
        """Return how many entities were not read to their end, and how many cut a word in two."""
        cut = crooked = 0
        for answer, spans in zip(targets, words, strict=True):
            starts, ends = set(spans[:, 0].tolist()), set(spans[:, 1].tolist())
            read = int(spans[:, 1].max(initial=0))
            for _, start, end in tags.decode(answer).tolist():
                is_cut = end > read
                cut += is_cut
                crooked += not is_cut and not (start in starts and end in ends)
        return cut, crooked


def _string(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
