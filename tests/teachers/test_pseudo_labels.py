"""Pseudo-labels: the texts that get one, and the examples that are then trained on."""

import pathlib

import numpy as np
import pytest

import ftkeras.corpora
from ftkeras.config.run import Config
from ftkeras.data.splits import open_splits
from ftkeras.data.teacher_answers import TeacherAnswers
from ftkeras.experiment import build, feeds
from ftkeras.teachers import pseudo_labels
from ftkeras.teachers.pseudo_labels import NothingIsConfident
from ftkeras.teachers.unlabelled import open_unlabelled

REVIEWS = pathlib.Path(ftkeras.corpora.__file__).parent / "reviews" / "train.tsv"
# Of the unlabelled texts, the last of which are in validation and in test.
ANSWERS = [[0.96, 0.04], [0.6, 0.4], [0.03, 0.97], [0.94, 0.06], [0.02, 0.98]]


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Yield an experiment with self-training, and its splits: 12 labelled, 5 other texts."""
    folder = tmp_path_factory.mktemp("data")
    header, *lines = REVIEWS.read_text(encoding="utf-8").splitlines()
    for name, rows in (("train", lines[:12]), ("validation", lines[12:20]), ("test", lines[20:30])):
        (folder / f"{name}.tsv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    more = [line.split("\t")[0] for line in (*lines[30:35], lines[12], lines[20])]
    (folder / "more.txt").write_text("\n".join(more) + "\n", encoding="utf-8")
    config = Config(
        task="classification(train='train.tsv', validation='validation.tsv', test='test.tsv')",
        data_dir=str(folder),
        unlabelled=(str(folder / "more.txt"),),
        self_training="rounds(confidence=0.95)",
        encoder="bert(vocabulary='reviews', layers=1, hidden=16, heads=2)",
        max_length=32,
        cache_dir="none",
        test=False,
    )
    experiment = build.experiment(config)
    texts = open_unlabelled(config, experiment.task)
    with open_splits(config, experiment.task, experiment.text_layer, texts) as splits:
        yield experiment, splits, more


def _answers(splits, values) -> TeacherAnswers:
    examples, rows = splits.with_unlabelled(splits.train), splits.unlabelled_rows
    index = np.full(len(examples.stored_digests), -1)
    index[rows] = np.arange(len(rows))
    labelled = np.ones(len(index), bool)
    return TeacherAnswers(np.array(values, np.float32), index, labelled, "teacher")


def test_texts_with_confident_answers_are_further_examples(opened):
    """Texts of validation and test are left out, although test is not evaluated here."""
    experiment, splits, more = opened
    assert len(splits.unlabelled_rows) == len(ANSWERS)
    found = pseudo_labels.add(experiment, splits, _answers(splits, ANSWERS))
    assert (found.counts, found.asked) == ({"negative": 1, "positive": 2}, 5)
    expected = [*splits.train.targets, 0, 1, 1]
    assert found.train.targets.tolist() == expected
    raw = list(splits.texts(found.train.source).as_numpy_iterator())
    texts = [raw[row]["text"].decode() for row in found.train.rows[12:]]
    assert texts == [more[0], more[2], more[4]]
    feed = feeds.training_feed(experiment, splits, train=found.train)
    assert feed.examples.targets.tolist() == expected
    assert splits.train.targets.tolist() == expected[:12]


def test_no_confident_answer_is_reported(opened):
    experiment, splits, _ = opened
    values = [[0.5, 0.5], [0.6, 0.4], [0.3, 0.7], [0.94, 0.06], [0.2, 0.8]]
    with pytest.raises(NothingIsConfident, match=r"none of 5 answers .* probability is 0\.940"):
        pseudo_labels.add(experiment, splits, _answers(splits, values))
