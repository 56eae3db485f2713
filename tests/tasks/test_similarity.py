"""Pairs of texts in the user's own files: which columns they are in, with and without scores."""

import pytest

from ftkeras.config.run import Config
from ftkeras.data.sources.stream import reraise_user_errors
from ftkeras.errors import UserError
from ftkeras.experiment import checks, inferred_task
from ftkeras.tasks.classification import Classification
from ftkeras.tasks.positive_pairs import PositivePairs
from ftkeras.tasks.similarity import Similarity


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write_columns(*names: str, rows: int = 60) -> None:
        values = {"score": "{n}.5", "year": "2012", "votes": "5", "id": "{n}9", "line": "{n}"}
        lines = (
            ",".join(values.get(name, f"a text of {name} {{n}}").format(n=n) for name in names)
            for n in range(rows)
        )
        (tmp_path / "train.csv").write_text("\n".join([",".join(names), *lines]) + "\n")

    return write_columns


def _first(task) -> dict:
    with reraise_user_errors():
        return next(iter(task.splits()["train"].as_numpy_iterator()))


@pytest.mark.parametrize(
    ("columns", "pair"),
    [
        (("id", "sentence1", "sentence2", "score"), ("sentence1", "sentence2")),
        (("score", "left", "right"), ("left", "right")),
        (("year", "question", "answer", "score", "title"), ("question", "answer")),
        (("line", "score", "left", "right"), ("left", "right")),
    ],
)
def test_columns_of_texts_and_score_are_inferred(write, columns, pair):
    write(*columns)
    task = Similarity(train="train.csv")
    found = _first(task)
    assert [found[name].decode() for name in ("text", "pair")] == [f"a text of {n} 0" for n in pair]
    assert found["label"] == 0.5
    assert task.better_task() is None
    assert task.columns == {"text": [pair[0]], "pair": pair[1], "label": "score"}


@pytest.mark.parametrize("given", [{"text": "b"}, {"pair": "a"}, {"text": "b", "pair": "a"}])
def test_column_that_is_named_is_used(write, given):
    write("a", "b")
    found = _first(PositivePairs(train="train.csv", **given))
    assert (found["text"], found["pair"]) == (b"a text of b 0", b"a text of a 0")


@pytest.mark.parametrize("number", [(), ("id",), ("line",)])
def test_pairs_without_a_score_are_positive_pairs(write, number):
    write(*number, "anchor", "positive")
    config = Config(task="similarity(train='train.csv')")
    assert (config.loss, config.objective) == ("cosine_regression", "spearman")
    found = inferred_task.resolve(config)
    assert found.task == "positive_pairs(train='train.csv')"
    assert (found.loss, found.objective) == ("in_batch_negatives", "mrr")
    checks.check(found)


def test_positive_pairs_read_no_other_columns(write):
    write("id", "year", "query", "passage")
    task = PositivePairs(train="train.csv")
    assert set(_first(task)) == {"text", "pair", "label"}
    assert task.columns == {"text": ["query"], "pair": "passage"}


def test_pairs_with_the_same_second_text_have_the_same_target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.csv").write_text("query,passage\nwhy,so\nhow,thus\nwhat,so\n")
    rows = PositivePairs(train="train.csv").splits()["train"].as_numpy_iterator()
    first, other, again = (row["label"] for row in rows)
    assert first == again != other


@pytest.mark.parametrize(
    ("columns", "refusal"),
    [
        (("a", "b", "c", "score"), "`pair_column`: name the two columns of 'train.csv'"),
        (("a", "score"), "`pair_column`: name the two columns of 'train.csv'"),
        (
            ("a", "b", "year", "votes"),
            "the scores of 'train.csv' may be in column 'year' or 'votes'",
        ),
    ],
)
def test_what_is_not_clear_is_refused(write, columns, refusal):
    write(*columns)
    with pytest.raises(UserError, match=refusal):
        Similarity(train="train.csv").splits()


def test_pair_with_a_number_is_still_a_regression_that_names_the_other_task(write):
    write("sentence1", "sentence2", "score")
    name, reason = Classification(train="train.csv").better_task()
    assert name == "regression"
    assert reason.endswith("; task=similarity(train=…) embeds each text instead")
    write("text", "score")
    assert "similarity" not in Classification(train="train.csv").better_task()[1]


def test_score_that_is_no_number_is_refused_by_its_line(write, tmp_path):
    """The column stays the column of scores in spite of it."""
    write("sentence1", "sentence2", "score")
    with (tmp_path / "train.csv").open("a") as file:
        file.write("one text,another text,good\n")
    task = Similarity(train="train.csv")
    assert task.better_task() is None
    with pytest.raises(UserError, match="line 62 of 'train.csv'"), reraise_user_errors():
        list(task.splits()["train"].as_numpy_iterator())


@pytest.mark.parametrize("given", [{"low": 1.0}, {"high": 50}])
def test_score_outside_of_the_given_range_is_refused(write, given):
    write("sentence1", "sentence2", "score")
    task = Similarity(train="train.csv", **given)
    with (
        pytest.raises(UserError, match="line 2 .* score 0.5,|line 52 .* score 50.5,"),
        reraise_user_errors(),
    ):
        list(task.splits()["train"].as_numpy_iterator())


def test_low_must_be_below_high():
    with pytest.raises(ValueError, match="`low` must be below `high`, 1. Received: 2."):
        Similarity(train="x.csv", low=2, high=1)
