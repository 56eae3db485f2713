"""Tasks and readers leave memory with the last reference to them, together with their data."""

import gc
import json
import weakref

import pytest
import tensorflow as tf

from ftkeras.config.run import Config
from ftkeras.data.reading import SplitReader
from ftkeras.data.sources.stream import reraise_user_errors
from ftkeras.tasks.classification import Classification
from ftkeras.tasks.masked_lm import MaskedLm
from ftkeras.tasks.question_answering import QuestionAnswering
from ftkeras.tasks.token_classification import TokenClassification

QUESTION = {"id": "1", "question": "When?", "answers": [{"text": "1969", "answer_start": 3}]}
SQUAD = {"data": [{"paragraphs": [{"context": "In 1969.", "qas": [QUESTION]}]}]}
FILES = {
    "reviews.csv": "text,label\ngood film,pos\nbad film,neg\n",
    "names.conll": "Ada B-PER\ncodes O\n\nBob B-PER\nsleeps O\n",
    "questions.json": json.dumps(SQUAD),
    "texts.txt": "a text\nanother text\n",
}
TASKS = {
    Classification: "reviews.csv",
    TokenClassification: "names.conll",
    QuestionAnswering: "questions.json",
    MaskedLm: "texts.txt",
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def _read(task) -> None:
    """Use a task as a run does."""
    assert task.labels
    assert task.notes
    with reraise_user_errors():
        assert list(task.splits()["train"].as_numpy_iterator())


def _one_token(texts, pairs=None):
    """Stand in for a text layer."""
    return {"token_ids": tf.RaggedTensor.from_tensor(tf.ones([tf.size(texts), 1], tf.int32))}


_one_token.redaction = None


@pytest.mark.parametrize("task_class", TASKS, ids=lambda cls: cls.__name__)
def test_a_task_is_freed_after_use(folder, task_class):
    task = task_class(train=TASKS[task_class], data_dir=str(folder))
    _read(task)
    reference = weakref.ref(task)
    del task
    gc.collect()
    assert reference() is None


def test_a_reader_is_freed_after_use_with_its_task_and_examples(folder, tmp_path):
    task = Classification(train="reviews.csv", data_dir=str(folder))
    config = Config(cache_dir="none")
    reader = SplitReader(config=config, task=task, text_layer=_one_token, folder=tmp_path)
    examples = reader.read("train")
    assert reader.read("train") is examples  # so the split is tokenized once
    references = [weakref.ref(one) for one in (task, reader, examples)]
    del task, reader, examples
    gc.collect()
    assert [reference() for reference in references] == [None, None, None]
