import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.config.run import Config
from ftkeras.data import token_store
from ftkeras.data.examples import Examples
from ftkeras.data.summary import count_token, summarize, summarize_splits
from ftkeras.data.task import Task
from ftkeras.problems.classification import Classification
from ftkeras.problems.multiple_choice import MultipleChoice
from ftkeras.problems.similarity import Similarity
from ftkeras.problems.token_classification import TokenClassification
from ftkeras.reports import data as report
from ftkeras.support import tags
from ftkeras.text.layer import TextLayer
from ftkeras.text.truncations.head import Head
from ftkeras.text.wordpiece import WordPiece

UNKNOWN = 1


class _Task(Task):
    labels = ("neg", "pos", "none")
    notes = ("encoding utf-8", "label from column 'stars'")
    warnings = ("'1', '1.0' are one label, '1'",)


class _Entities(Task):
    labels, problem_class = ("O", "B-X", "I-X"), TokenClassification


def _examples(texts, labels, name="train"):
    """Return examples with these token ids; equal token ids stand for equal texts."""
    lengths = [len(text) for text in texts]
    distinct = sorted({tuple(text) for text in texts})
    return Examples(
        token_ids=np.concatenate([np.array(text, np.int32) for text in texts]),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        second_starts=np.array(lengths, np.int32),
        stored_targets=np.array(labels),
        stored_digests=np.array([distinct.index(tuple(text)) for text in texts], np.uint64),
        rows=np.arange(len(texts)),
        name=name,
        pairs=False,
    )


TEXTS = [[2, 7, 3], [2, 7, 3], [2, 7, 3], [2, 3], [2, UNKNOWN, 8, 3]]

PROBLEM = Classification(labels=("1", "2", "3"))


def _summary(positions=slice(None)):
    examples = _examples(TEXTS, [0, 0, 1, 1, 1]).select(positions)
    return summarize(examples, unknown_id=UNKNOWN, specials=2, max_length=4, problem=PROBLEM)


def test_summary_counts_what_may_be_a_mistake():
    assert _summary() == {
        "labels": [2, 3, 0],
        "empty": 1,
        "duplicates": 2,
        "contradictions": 1,
        "full_length": 1,
        "unknown_share": 1 / 5,
    }


def test_summary_is_of_the_selected_examples_alone():
    found = _summary(np.array([0, 4]))
    assert (found["duplicates"], found["empty"], found["unknown_share"]) == (0, 0, 1 / 3)


def test_token_is_counted_in_each_text():
    examples = _examples(TEXTS, [0] * len(TEXTS))
    expected = [text.count(7) for text in TEXTS]
    assert count_token(examples, 7).tolist() == expected
    chosen = [4, 2, 2]
    assert count_token(examples.select(np.array(chosen)), 7).tolist() == [
        expected[n] for n in chosen
    ]


def test_counting_a_rare_token_takes_less_room_than_the_token_ids():
    examples = _examples([[2] * 100_000, [2, UNKNOWN]], [0, 0])
    tracemalloc.start()
    assert count_token(examples, UNKNOWN).tolist() == [0, 1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < examples.token_ids.nbytes


@pytest.mark.parametrize(("specials", "empty", "words"), [(0, 0, 15), (2, 1, 5), (4, 5, 1)])
def test_special_tokens_are_those_of_the_tokenizer(specials, empty, words):
    examples = _examples(TEXTS, [0, 0, 1, 1, 1])
    found = summarize(
        examples, unknown_id=UNKNOWN, specials=specials, max_length=4, problem=PROBLEM
    )
    assert (found["empty"], found["unknown_share"]) == (empty, 1 / words)


WORDPIECE = WordPiece(vocabulary=["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcde"])


@pytest.mark.parametrize(
    ("kind", "layer", "pairs", "unknown"),
    [
        (Similarity, {"each_text": True}, [("a b", "c x"), ("", "")], 1 / 4),
        (MultipleChoice, {"options": 3}, [("x", "x\tx\tx"), ("x", "x\tx"), ("", "\t")], 1),
    ],
)
def test_special_tokens_of_all_rows_of_an_example_are_left_out(
    tmp_path, kind, layer, pairs, unknown
):
    texts, seconds = zip(*pairs, strict=True)
    elements = {"text": list(texts), "pair": list(seconds), "label": [0] * len(texts)}
    layer = TextLayer(tokenizer=WORDPIECE, truncation=Head(), max_length=9, **layer)
    dataset = tf.data.Dataset.from_tensor_slices(elements)
    settings = {"name": "train", "pairs": True, "reads": kind.reads}
    examples = token_store.write(dataset, layer, tmp_path, **settings)

    class Pairs(Task):
        labels, problem_class = ("x",), kind

        def problem(self, labels=None):
            return PROBLEM

    splits = SimpleNamespace(
        train=examples, validation=None, test=examples, config=Config(test=False), task=Pairs()
    )
    found = summarize_splits(splits, WORDPIECE)["train"]
    assert (found["empty"], found["unknown_share"]) == (1, unknown)


def test_entities_within_words_are_counted_in_each_split(tmp_path):
    problem = TokenClassification(labels=("O", "B-X", "I-X"))
    labels = [tags.encode([(0, 0, 1), (0, 2, 3)]), tags.encode([(0, 1, 2)])]
    dataset = tf.data.Dataset.from_tensor_slices({"text": ["a b c", "abc a"], "label": labels})
    layer = TextLayer(tokenizer=WORDPIECE, truncation=Head(), max_length=9, words=True)
    settings = {"name": "train", "pairs": False, "reads": problem.reads}
    examples = token_store.write(dataset, layer, tmp_path, **settings)
    about = {"unknown_id": UNKNOWN, "specials": 2, "max_length": 9, "problem": problem}
    counts = {
        split: summarize(examples.select(np.array(rows)), **about)
        for split, rows in {"train": [0, 1], "validation": [0], "test": [1, 1]}.items()
    }
    assert [summary["within_words"] for summary in counts.values()] == [1, 0, 2]
    kind = "entities that begin or end within a word, which the model can't find"
    expected = f"warning: {kind}: 1 of train, 2 of test"
    assert expected in report.text(_Entities(), counts, 9)


def test_report_shows_the_labels_of_each_split_and_every_doubt():
    text = report.text(_Task(), {"train": _summary(), "test": _summary(np.array([0]))}, 4)
    lines = text.splitlines()
    assert lines[0] == "data    encoding utf-8, label from column 'stars'"
    assert [line.split() for line in lines[1:5]] == [
        ["label", "train", "test"],
        ["neg", "2", "1"],
        ["pos", "3", "0"],
        ["none", "0", "0"],
    ]
    for doubt in (
        "warning: '1', '1.0' are one label",
        "note: texts without a token: 1 of train",
        "note: texts that repeat an earlier one: 2 of train",
        "warning: texts with more than one answer: 1 of train",
        "warning: 20% of train are tokens that",
        "train has no example of 'none'",
        "test has no example of 'pos', 'none'",
    ):
        assert doubt in text


def test_report_has_one_line_about_truncation_in_all_splits():
    full = {**_summary(), "full_length": 2}
    splits = {"train": full, "validation": {**full, "full_length": 1}, "test": full}
    lines = [line for line in report.text(_Task(), splits, 4).splitlines() if "fill" in line]
    assert lines == [
        "warning: 2 of 5 texts of train (40%), 2 of 5 texts of test (40%) fill 4 tokens, so most "
        "of them are cut; a larger max_length keeps more of them, truncation=windows reads all of "
        "each"
    ]


def test_report_of_many_classes_is_short():
    class Many(Task):
        labels = tuple(map(str, range(77)))

    summary = {**_summary(), "labels": [1] * 77}
    assert len(report.text(Many(), {"train": summary}, 4).splitlines()) < 30
