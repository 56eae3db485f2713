"""Prediction in an Apache Beam pipeline, on the DirectRunner."""

import collections
import importlib.util
import json
import pathlib

import pytest

from ftkeras.beam import Predict
from ftkeras.errors import UserError
from ftkeras.prediction.predictor import Predictor

needs_beam = pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is None, reason="needs apache-beam"
)
TEXTS = ["Worth every minute.", "Dull and slow.", "", "Naïve ☃", "A waste of time."]
# It repeats a bundle that failed; the default one ends the pipeline.
REPEATS = "BundleBasedDirectRunner"


def _model(finished_run) -> str:
    return str(finished_run / "saved_models" / "quickstart")


def _run(elements, finished_run, folder, *, worker=None, runner=REPEATS, **options) -> list:
    """Return [element, answer] of all, as a pipeline writes them.

    Args:
        elements: what to answer.
        finished_run: the folder of the run.
        folder: an empty folder.
        worker: a function through which elements go first.
        runner: the name of Beam's.
        options: of `Predict`.
    """
    import apache_beam as beam

    with beam.Pipeline(runner=runner) as pipeline:
        created = pipeline | beam.Create(elements)
        answered = (
            created | beam.Map(worker or _as_it_is) | Predict(_model(finished_run), **options)
        )
        answered | beam.Map(json.dumps) | beam.io.WriteToText(str(folder / "answers"))
    files = sorted(folder.glob("answers-*"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def _as_it_is(element):
    return element


class _FailsOnce:
    """Return an element; fail the first time that one of them comes."""

    def __init__(self, fatal, record: pathlib.Path):
        self._fatal, self._record = fatal, record

    def __call__(self, element):
        if element == self._fatal and not self._record.exists():
            self._record.touch()
            raise RuntimeError("this worker is lost")
        return element


@pytest.mark.skipif(bool(importlib.util.find_spec("apache_beam")), reason="apache-beam is there")
def test_missing_package_is_named():
    with pytest.raises(UserError, match=r"pip install 'ftkeras\[beam\]'"):
        Predict("saved_models/imdb")


@needs_beam
def test_batch_size_is_positive():
    with pytest.raises(UserError, match="`batch_size` must be at least 1"):
        Predict("saved_models/imdb", batch_size=0)


@needs_beam
@pytest.mark.process
def test_answers_are_those_of_predict(finished_run, tmp_path):
    elements = [{"id": n, "body": text} for n, text in enumerate(TEXTS)]
    found = _run(elements, finished_run, tmp_path, text=lambda row: row["body"], batch_size=2)
    expected = Predictor(finished_run / "saved_models" / "quickstart" / "1").predict(TEXTS)
    assert len(found) == len(TEXTS)
    for element, answer in found:
        wanted = expected[element["id"]]
        assert element["body"] == TEXTS[element["id"]]
        assert answer["label"] == wanted["label"]
        assert answer["probabilities"] == pytest.approx(wanted["probabilities"], abs=1e-5)


@needs_beam
@pytest.mark.process
@pytest.mark.parametrize("element", [3, ("two", "texts"), None])
def test_element_that_is_no_text_ends_the_pipeline(finished_run, tmp_path, element):
    with pytest.raises(Exception, match="takes a text. Received: "):
        _run([*TEXTS, element], finished_run, tmp_path)


@needs_beam
@pytest.mark.process
def test_missing_model_ends_the_pipeline(tmp_path):
    with pytest.raises(Exception, match="holds no SavedModel"):
        _run(TEXTS, tmp_path, tmp_path)


@needs_beam
@pytest.mark.matrix
def test_each_of_100_000_texts_has_one_answer_although_workers_fail(finished_run, tmp_path):
    texts = [f"{n} {TEXTS[n % len(TEXTS)]}" for n in range(100_000)]
    worker = _FailsOnce(texts[77_777], tmp_path / "failed")
    found = _run(texts, finished_run, tmp_path, worker=worker, batch_size=256)
    assert (tmp_path / "failed").exists()
    assert collections.Counter(text for text, _ in found) == collections.Counter(texts)


@needs_beam
@pytest.mark.process
def test_failure_that_is_not_repeated_leaves_no_answers(finished_run, tmp_path):
    worker = _FailsOnce(TEXTS[3], tmp_path / "failed")
    with pytest.raises(RuntimeError, match="this worker is lost"):
        _run(TEXTS, finished_run, tmp_path, worker=worker, runner="DirectRunner")
    assert not list(tmp_path.glob("answers-*"))
