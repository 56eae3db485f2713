"""Answer texts in an Apache Beam pipeline, on one machine or on many."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ftkeras.errors import UserError
from ftkeras.prediction.predictor import Predictor
from ftkeras.serving.model_folder import find_model

beam: Any
Shared: Any
try:
    import apache_beam as beam  # pyright: ignore[reportMissingImports]
    from apache_beam.utils.shared import Shared  # pyright: ignore[reportMissingImports]
except ImportError:  # the documentation of `Predict` can be read without Beam
    beam = Shared = None

# Elements that are sorted by length together, so that texts of similar length share a batch.
CHUNK = 1024
_DoFn: Any = beam.DoFn if beam else object
_PTransform: Any = beam.PTransform if beam else object


class Predict(_PTransform):
    r"""Answer texts with an exported model.

    The result has (element, answer) for each element. An answer is a dict, as `predict --json`
    prints it and `ftkeras.load(model).answers` returns it.

    A process loads the model once, for all its threads. If the runner repeats a bundle whose worker
    failed, each element of it still has one answer, as of any transform of Beam.

    Args:
        model: an exported model, `saved_models/<name>` or one version of it: a folder that every
            worker can read, such as one in its container image or on a shared disk.
        text: returns the text of an element; of a model of pairs, a tuple of both texts. None if
            the elements are texts, or such tuples.
        batch_size: the most texts in a batch of the model; positive.

    Raises:
        UserError: if apache-beam is not installed; in the workers, if the model can't be loaded, or
            an element has no text.

    Example:
        ```python
        import apache_beam as beam
        from ftkeras.beam import Predict

        with beam.Pipeline() as pipeline:
            (
                pipeline
                | beam.io.ReadFromText("reviews-*.txt")
                | Predict("saved_models/imdb")
                | beam.MapTuple(lambda text, answer: f"{answer['label']}\t{text}")
                | beam.io.WriteToText("answers", ".tsv")
            )
        ```
    """

    def __init__(
        self, model: str, *, text: Callable[[Any], Any] | None = None, batch_size: int = 32
    ):
        if beam is None:
            raise UserError("ftkeras.beam needs: pip install 'ftkeras[beam]'")
        if batch_size < 1:
            raise UserError(f"`batch_size` must be at least 1. Received: {batch_size}.")
        super().__init__()
        self.model, self.text, self.batch_size = str(model), text, batch_size

    def expand(self, elements: Any) -> Any:
        """Return the collection of (element, answer)."""
        answer = _Answer(self.model, self.text, self.batch_size, Shared())
        batches = elements | beam.BatchElements(
            min_batch_size=self.batch_size, max_batch_size=max(CHUNK, self.batch_size)
        )
        return batches | beam.ParDo(answer)


class _Answer(_DoFn):
    """Answer lists of elements."""

    def __init__(self, model: str, text: Callable | None, batch_size: int, shared: Any):
        self._model, self._text, self._batch_size = model, text, batch_size
        self._shared = shared

    def setup(self) -> None:
        """Load the model, unless another thread of this process has loaded it."""
        self._predictor: Predictor = self._shared.acquire(self._load, self._model)

    def process(self, elements: Sequence) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Yield each element with its answer."""
        rows = [_as_row(each if self._text is None else self._text(each)) for each in elements]
        takes_pairs = self._predictor.takes_pairs
        for element, row in zip(elements, rows, strict=True):
            if len(row) != 1 + takes_pairs:
                wanted = "a tuple of two texts" if takes_pairs else "a text"
                raise UserError(f"`model` takes {wanted}. Received: {str(element)[:60]!r}.")
        columns = [list(column) for column in zip(*rows, strict=True)]
        answers = self._predictor.predict(*columns, batch_size=self._batch_size)
        yield from zip(elements, answers, strict=True)

    def _load(self) -> Predictor:
        predictor = Predictor(find_model(self._model, "ftkeras.beam"))
        predictor.load()
        return predictor


def _as_row(text: Any) -> tuple[str, ...]:
    """Return an element's texts as a tuple; an empty one if they are not texts."""
    row = text if isinstance(text, tuple) else (text,)
    return row if all(isinstance(each, str) for each in row) else ()
