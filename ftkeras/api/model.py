"""Exported models that predict in this process."""

import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ftkeras.api import tables
from ftkeras.api.configuring import path_of
from ftkeras.api.results import Run
from ftkeras.config.fields import AUTO
from ftkeras.errors import UserError
from ftkeras.explanations import explaining, occlusion
from ftkeras.explanations.explanation import Explanation
from ftkeras.prediction.explaining import EXPLAIN, ExportedModel
from ftkeras.prediction.predictor import DEFAULT, Predictor
from ftkeras.runs import layout
from ftkeras.serving.model_folder import find_model
from ftkeras.support.files import from_here

if TYPE_CHECKING:
    import numpy as np
    import pandas


def load(model: Run | str | os.PathLike[str]) -> "Model":
    """Load an exported model.

    Args:
        model: a run that was exported as a SavedModel, or its folder; or an exported model, either
            `saved_models/<name>`, of which the newest version is loaded, or the folder of one
            version.

    Raises:
        UserError: if there is no such model.
    """
    folder = path_of(model, "model")
    if not (folder / layout.SETTINGS).is_file() or (folder / "saved_model.pb").is_file():
        return Model(find_model(str(folder), "load"))
    run = model if isinstance(model, Run) else Run(folder)
    exports = [path for path in run.exports if (path / "saved_model.pb").is_file()]
    if not exports:
        raise UserError(
            f"model={folder} was not exported as a SavedModel, or the export was removed; "
            "ftkeras.load(ftkeras.export(run, export='saved_model')[0]) writes one and loads it."
        )
    return Model(exports[0])


class Model:
    """An exported model. It is loaded when it is first used.

    `ftkeras.load` returns one.

    Args:
        folder: the folder of a SavedModel that ftkeras exported.

    Attributes:
        folder: the folder of the SavedModel.
        takes_pairs: whether the model takes pairs of texts.
        labels: the names of the outputs, such as the labels in the order of their ids.

    Raises:
        UserError: if the folder cannot be loaded.
    """

    def __init__(self, folder: pathlib.Path):
        # It is read when it is first used, which may be after `os.chdir`.
        folder = folder.absolute()
        self._predictor = Predictor(folder)
        self.folder, self.takes_pairs = folder, self._predictor.takes_pairs
        self.labels: tuple[str, ...] = tuple(self._predictor.problem.names)

    def predict(
        self, texts: Iterable[str], pairs: Iterable[str] | None = None, *, batch_size: int = 32
    ) -> "pandas.DataFrame":
        """Predict texts and return a DataFrame.

        Args:
            texts: the texts.
            pairs: the second text of each pair, if the model takes pairs.
            batch_size: the maximum number of texts in a batch.

        Returns:
            One row per text: the text or texts, `predicted`, and the probability of each label. Its
            index is that of a pandas Series of texts, so that results can be assigned to its table.

        Raises:
            UserError: if a model of pairs gets single texts, or the reverse; if an argument is
                wrong; or if pandas is not installed.
        """
        pandas = tables.require_pandas("`answers` returns dicts")
        problem = self._predictor.problem
        inputs = _inputs(texts, pairs)
        found = self._predictor.predict(*inputs.values(), batch_size=batch_size)
        cells = map(problem.answer_cells, found)
        columns = problem.answer_columns()
        answered = pandas.DataFrame(list(cells), columns=list(columns))
        # NumPy's integers cannot be missing, as the place of an answer can.
        integers = {name: "Int64" for name, kind in columns.items() if kind is int}
        # pandas can't hold lone surrogates.
        read = {name: list(map(_replaced, column)) for name, column in inputs.items()}
        table = pandas.concat([pandas.DataFrame(read), answered.astype(integers)], axis=1)
        given: tuple[Any, ...] = texts, pairs
        index = [column.index for column in given if isinstance(column, pandas.Series)]
        return table.set_axis(index[0]) if index else table

    def answers(
        self, texts: Iterable[str], pairs: Iterable[str] | None = None, *, batch_size: int = 32
    ) -> list[dict[str, Any]]:
        """Predict texts as `predict` does, and return one dict per text. Needs no pandas."""
        return self._predictor.predict(*_inputs(texts, pairs).values(), batch_size=batch_size)

    def predict_proba(
        self, texts: Iterable[str], pairs: Iterable[str] | None = None, *, batch_size: int = 32
    ) -> "np.ndarray":
        """Return the probabilities, float32 [texts, labels], in the order of `labels`.

        Raises:
            UserError: if the model's answers have no probabilities, or as `predict`.
        """
        import numpy as np

        found = self._ask(DEFAULT, _inputs(texts, pairs), batch_size)
        if found and "probabilities" not in found[0]:
            raise UserError(f"model={from_here(self.folder)}: its answers have no probabilities.")
        rows = [row["probabilities"] for row in found]
        return np.array(rows, "float32").reshape(len(rows), len(self.labels))

    def embed(
        self, texts: Iterable[str], pairs: Iterable[str] | None = None, *, batch_size: int = 32
    ) -> "np.ndarray":
        """Return the vector of each text that the head reads, float32 [texts, hidden].

        A model of sentence embeddings takes single texts here, and returns vectors of length 1.
        """
        import numpy as np

        inputs = _inputs(texts, pairs)
        count = len(inputs["text"])
        # The vector of an empty text has the size that an array of no vectors needs.
        given = inputs if count else {name: [""] for name in inputs}
        found = self._ask("embed", given, batch_size)
        return np.array([row["embedding"] for row in found], "float32")[:count]

    def explain(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        *,
        method: str = AUTO,
        labels: Sequence[str] = (),
        batch_size: int = 32,
    ) -> list[Explanation]:
        """Explain answers by integrated gradients or by occlusion.

        Args:
            texts: the texts.
            pairs: the second text of each pair, if the model takes pairs.
            method: "integrated_gradients", which attributes an answer to tokens and needs a model
                that was exported with `explain`; "occlusion", which leaves out one word at a time;
                or "auto", the first of them that the model has. An explanation says its method.
            labels: the outputs to explain by occlusion. Default: the model's answer to each text,
                which may be several labels.
            batch_size: the maximum number of texts in a batch.

        Returns:
            An `Explanation` for each text and output. It is a dict with the model's outputs, such
            as `label` and `score`; `tokens`; their `attributions`, which say how much each token
            adds to the evidence for the label; and `gap`, the evidence that they don't explain. A
            notebook displays a coloured text.

        Raises:
            UserError: if the model was exported without `explain`, or as `predict`.
        """
        model = ExportedModel(self._predictor, batch_size=batch_size)
        if method == AUTO:
            has_gradients = EXPLAIN in self._predictor.signatures and not labels
            occludes = not has_gradients and not model.problem.explains_spans
            method = occlusion.METHOD if occludes else explaining.GRADIENTS
        return explaining.explain(model, read_texts(texts, pairs), method=method, labels=labels)

    def _ask(
        self, signature: str, inputs: Mapping[str, list[str]], batch_size: int
    ) -> list[dict[str, Any]]:
        if signature not in self._predictor.signatures:
            raise UserError(
                f"model={from_here(self.folder)} has no signature {signature}; "
                f"export=saved_model({signature}=True) adds it."
            )
        columns = inputs.values()
        return self._predictor.outputs(*columns, signature=signature, batch_size=batch_size)

    def __repr__(self) -> str:
        return f"Model({str(from_here(self.folder))!r}, labels={self.labels!r})"


def _replaced(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def read_texts(texts: Any, pairs: Any) -> list[dict[str, str]]:
    """Return each text as "text", with its second text as "pair" if there are any.

    Raises:
        UserError: if they are not texts, or not as many of both.
    """
    columns = _inputs(texts, pairs)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _inputs(texts: Any, pairs: Any) -> dict[str, list[str]]:
    """Return texts and, if there are any, their second texts, by column.

    Raises:
        UserError: if they are not texts, or not as many of both.
    """
    if pairs is None:
        return {"text": _texts(texts)}
    columns = {"text": _texts(texts), "pair": _texts(pairs, "pairs")}
    if len(columns["text"]) != len(columns["pair"]):
        raise UserError(
            "`pairs` and `texts` must have the same length. "
            f"Received: {len(columns['pair'])} and {len(columns['text'])}."
        )
    return columns


def _texts(texts: Any, name: str = "texts") -> list[str]:
    """Return texts as a list.

    Raises:
        UserError: if they are a single text, a table, or not texts.
    """
    if isinstance(texts, str) or not hasattr(texts, "__iter__"):
        raise UserError(
            f"`{name}` must be a list or column of texts, such as [text]. Received: {texts!r}."
        )
    if isinstance(texts, Mapping) or hasattr(texts, "columns"):  # they iterate over their names
        raise UserError(
            f"`{name}` must be one column of texts, such as table['text']. "
            f"Received: a {type(texts).__name__}."
        )
    values = texts.numpy() if hasattr(texts, "numpy") else texts  # a tensor, which holds bytes
    found = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values]
    for text in found:
        if not isinstance(text, str):
            raise UserError(f"`{name}` must be texts. Received: {text!r}.")
    return found
