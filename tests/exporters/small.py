"""A small model with random weights, its run's folder, and an exporter for it."""

import pathlib
from typing import Any

import keras
import numpy as np

from ftkeras import corpora
from ftkeras.encoders.bert import Bert
from ftkeras.exporters.saved_model import SavedModel
from ftkeras.heads.classification import Classification
from ftkeras.problems import classification
from ftkeras.runs import layout, samples
from ftkeras.text.layer import TextLayer
from ftkeras.text.truncations.head import Head
from ftkeras.text.wordpiece import WordPiece
from ftkeras.training.finetuner import FineTuner

LABELS = ("bad", "très bon", "普通")
PROBLEM = classification.Classification(labels=LABELS)
TEXTS = [
    *(b"Worth every minute.", b"", b"A waste of time, and the plot was a mess.", b"not \xff good"),
    b"the movie " * 40,
]


class Card:
    """A model card for tests."""

    def __init__(self, license: str | None = "mit"):
        self._license = license

    def text(self) -> str:
        """Return the card."""
        return "a card\n"

    def hub_header(self) -> str:
        """Return the header."""
        return "---\ntags: [header]\n---\n"

    def license(self) -> str | None:
        """Return the license."""
        return self._license


def text_layer(max_length: int = 40) -> TextLayer:
    """Return a text layer with the vocabulary of the bundled reviews."""
    path = pathlib.Path(corpora.__file__).parent / "reviews" / "vocab.txt"
    wordpiece = WordPiece.from_vocabulary(path)
    return TextLayer(tokenizer=wordpiece, truncation=Head(), max_length=max_length)


def model(pooling: str = "pooled", layers: int = 2, **settings: Any) -> FineTuner:
    """Return a model with large random weights, so that its predictions differ between texts."""
    wordpiece = text_layer().tokenizer
    encoder = Bert(
        vocabulary_size=len(wordpiece.vocabulary),
        **{"layers": layers, "hidden": 24, "heads": 2, "positions": 48, **settings},
        pooler=pooling == "pooled",
        seed=0,
    )
    head = Classification(classes=len(LABELS), pooling=pooling, seed=0)
    tuner = FineTuner(encoder=encoder, head=head, pad_id=wordpiece.pad_id)
    rng = np.random.default_rng(1)
    for variable in tuner.saved_variables:
        variable.assign(variable + rng.normal(scale=0.3, size=variable.shape))
    logits = tuner({"token_ids": text_layer()(TEXTS)["token_ids"].to_tensor()})
    tuner.head.bias.assign_sub(keras.ops.mean(logits, axis=0))
    return tuner


def probabilities(tuner: FineTuner, layer: TextLayer, *columns: list[bytes]) -> np.ndarray:
    """Return the Keras model's probabilities of texts, or of pairs of them, computed one by one."""
    rows = [
        tuner({k: ids.to_tensor() for k, ids in layer(*([t] for t in texts)).items()})
        for texts in zip(*columns, strict=True)
    ]
    return keras.ops.convert_to_numpy(keras.ops.softmax(keras.ops.concatenate(rows)))


def run_dir(
    folder: pathlib.Path, tuner: FineTuner, layer: TextLayer, *columns: list[bytes]
) -> pathlib.Path:
    """Write what an exporter reads of a run's folder; every text has the label it is given."""
    predicted = probabilities(tuner, layer, *columns)
    rows = [
        {"id": f"test-{i}", "label": LABELS[p.argmax()], "probabilities": p.tolist()}
        for i, p in enumerate(predicted)
    ]
    names = ("text", "pair")[: len(columns)]
    texts = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    samples.write(folder, rows, texts)
    (folder / layout.SETTINGS).write_text("--task=quickstart\n")
    return folder


def exporter(folder: pathlib.Path, tuner: FineTuner, layer: TextLayer, **keys: Any) -> SavedModel:
    """Return a SavedModel exporter for a run's folder."""
    return SavedModel(
        model=tuner,
        text_layer=layer,
        run_dir=folder,
        served_from=folder / "served",
        card=Card(),
        **{"pairs": False, "problem": PROBLEM, **keys},
    )
