"""The sections about errors and words."""

import dataclasses
import json

import pytest

from ftkeras.errors import UserError
from ftkeras.explanations.explanation import Explanation
from ftkeras.figures.parts import Marked, Missing, Notice, Table
from ftkeras.pages import errors, kept_texts, page, words
from ftkeras.runs import layout, samples
from ftkeras.statistics import text_clusters
from tests.pages import finished_runs

# Texts about trains are all wrong, and a third of those about the sea.
TEXTS = [f"the {'train was late' if n % 4 == 0 else 'sea was calm'} on day {n}" for n in range(200)]


def _explain(texts):
    return [
        Explanation(
            **one,
            explained="yes",
            tokens=one["text"].split(),
            method="integrated_gradients",
            attributions=[float("train" in w) - 0.5 * (w == "the") for w in one["text"].split()],
            gap=0.0,
        )
        for one in texts
    ]


@pytest.fixture
def view(tmp_path):
    """Return a view whose mistakes are known."""
    rows = []
    for n in range(200):
        wrong = n % 4 == 0 or n % 12 == 1
        p = 0.5 + 0.4 * (n + 1) / 200
        rows.append(
            {"label": "no" if wrong else "yes", "predicted": "yes", "probabilities": [1 - p, p]}
        )
    finished_runs.write(tmp_path, ["no", "yes"], rows, {"test": {}})
    texts = finished_runs.TextsInMemory(TEXTS)
    return finished_runs.read(tmp_path, texts, explain=_explain, explanations=5)


def _tables(section):
    return {part.name: part for part in section.parts if isinstance(part, Table)}


def test_mistakes_are_those_that_the_model_is_surest_of(view):
    section = errors.section(view)
    tables = _tables(section)
    mistakes, nearly = tables["mistakes"].rows, tables["nearly_wrong"].rows
    wrong = [n for n in range(200) if n % 4 == 0 or n % 12 == 1]
    assert section.figures["mistakes"] == len(wrong)
    assert [row[0] for row in mistakes] == [f"test-{n}" for n in wrong[::-1][:50]]
    assert mistakes[0][1:3] == ["no", "yes"]
    assert mistakes[0][3] == pytest.approx(1 - 0.5 - 0.4 * (wrong[-1] + 1) / 200)
    assert [row[0] for row in nearly[:3]] == ["test-2", "test-3", "test-5"]
    assert isinstance(mistakes[0][4], Marked)
    assert str(mistakes[0][4]) == TEXTS[wrong[-1]]
    assert isinstance(mistakes[5][4], str)  # five are explained
    assert "labels are doubtful" in section.parts[0].text
    json.dumps(page.figures([section]))


def test_clusters_have_their_words(view):
    table = _tables(errors.section(view))["error_clusters"]
    assert sum(row[0] for row in table.rows) >= 50
    found = {word for row in table.rows for word in row[1].split(", ")}
    assert {"train", "late"} <= found
    assert table.rows[0][2].startswith("no → yes (")


def test_without_texts_mistakes_are_still_listed(view):
    bare = dataclasses.replace(view, texts=finished_runs.NoTexts("no texts"))
    section = errors.section(bare)
    assert len(_tables(section)["mistakes"].columns) == 4
    assert section.parts[-1] == Missing("Texts of the mistakes, and what they share", "no texts.")


def test_texts_that_the_page_shows_are_kept_for_when_the_data_is_gone(view):
    shown = errors.section(view)
    kept_texts.write(view, [shown])
    bare = dataclasses.replace(view, texts=finished_runs.NoTexts("the data is gone"))
    again = errors.section(bare)
    for name in ("mistakes", "nearly_wrong"):
        before, after = (_tables(one)[name] for one in (shown, again))
        assert after.columns == before.columns
        assert [list(map(str, row)) for row in after.rows] == [
            list(map(str, row)) for row in before.rows
        ]
    assert "error_clusters" not in _tables(again)
    assert again.parts[-1].reason.startswith("the data is gone. The texts above are those that")
    # Writing that page keeps them, as they can't be read again.
    kept_texts.write(bare, [again])
    assert [row[-1] for row in _tables(errors.section(bare))["mistakes"].rows if not row[-1]] == []


def test_texts_are_neither_shown_nor_kept_against_the_owner_s_will(view):
    kept_texts.write(view, [errors.section(view)])
    without = finished_runs.NoTexts("the page was written with texts=false")
    bare = dataclasses.replace(view, texts=without, with_texts=False)
    section = errors.section(bare)
    assert len(_tables(section)["mistakes"].columns) == 4
    assert section.figures["texts"] is False
    kept_texts.write(bare, [section])
    assert not (view.folder / layout.REPORT_TEXTS).exists()


def test_texts_of_samples_are_shown_if_no_others_are_known(view):
    rows = [view.rows[198 - n] for n in range(10)]
    texts = [{"text": TEXTS[198 - n].encode()} for n in range(10)]
    samples.write(view.folder, rows, texts)
    bare = dataclasses.replace(view, texts=finished_runs.NoTexts("the data is gone"))
    found = {row[0]: row[-1] for row in _tables(errors.section(bare))["mistakes"].rows}
    assert str(found["test-196"]) == TEXTS[196]
    assert found["test-100"] is None


def test_perfect_answers_have_no_mistakes(tmp_path):
    rows = [{"label": "no", "predicted": "no", "probabilities": [0.9, 0.1]}] * 5
    finished_runs.write(tmp_path, ["no", "yes"], rows, {"test": {}})
    view = finished_runs.read(tmp_path, finished_runs.NoTexts("no texts"))
    assert any(isinstance(p, Notice) and "no mistake" in p.text for p in errors.section(view).parts)


def test_numbers_have_their_largest_errors_first(tmp_path):
    rows = [{"targets": [1.0], "values": [1.0 + n / 10]} for n in range(5)]
    state = {"problem": "regression", "scale": "none", "mean": [0.0], "sd": [1.0]}
    finished_runs.write(tmp_path, ["score"], rows, {"test": {}}, task="regression", state=state)
    view = finished_runs.read(tmp_path, finished_runs.NoTexts("no texts"))
    (table,) = _tables(errors.section(view)).values()
    assert [row[0] for row in table.rows] == ["test-4", "test-3", "test-2", "test-1"]
    assert table.rows[0][1:] == ["1", "1.4"]


def test_what_the_largest_errors_have_in_common_is_not_that_of_all_numbers(tmp_path):
    """Errors are larger on trains, a quarter of the texts, and the others are not right either."""
    rows = [{"targets": [1.0], "values": [1.1 + (n % 4 == 0)]} for n in range(200)]
    state = {"problem": "regression", "scale": "none", "mean": [0.0], "sd": [1.0]}
    finished_runs.write(tmp_path, ["score"], rows, {"test": {}}, task="regression", state=state)
    texts = [f"{text} at {('noon', 'night', 'dawn')[n % 3]}" for n, text in enumerate(TEXTS)]
    view = finished_runs.read(tmp_path, finished_runs.TextsInMemory(texts))
    table = _tables(errors.section(view))["error_clusters"]
    assert table.title == "What the largest errors have in common"
    assert sum(row[0] for row in table.rows) == 50
    assert all("train was late" in row[-1] for row in table.rows)
    assert all(len(row) == len(table.columns) == 3 for row in table.rows)


def test_right_answers_with_a_small_probability_are_not_doubtful(tmp_path):
    """Of five classes, 0.35 may be the largest probability."""
    names = list("abcde")
    for folder, last in (("right", "a"), ("wrong", "b")):
        rows = [
            {"label": "a", "predicted": "a", "probabilities": [p, *[(1 - p) / 4] * 4]}
            for p in [0.6, 0.35] * 20
        ]
        rows[-1]["label"] = last
        finished_runs.write(tmp_path / folder, names, rows, {"test": {}})
        view = finished_runs.read(tmp_path / folder, finished_runs.NoTexts("no texts"))
        notices = [part.text for part in errors.section(view).parts if isinstance(part, Notice)]
        doubtful = [text for text in notices if "doubtful" in text]
        assert len(doubtful) == (folder == "wrong")
    assert doubtful[0].startswith("One label is doubtful: the model, which was not trained on it,")
    assert "It is the first mistake below; look whether its label is wrong." in doubtful[0]


@pytest.mark.parametrize(
    ("count", "texts", "said"),
    [
        (1, 1, "It is the first mistake below"),
        (7, 7, "They are the first mistakes below"),
        (60, 60, "The first 50 of them are below"),
        (7, 3, "They are in the first texts below"),
        (90, 60, "Those of the first 50 texts are below"),
    ],
)
def test_doubtful_labels_are_said_to_be_where_they_are(count, texts, said):
    assert errors._where(count, texts).startswith(said)


def test_entities_are_shown_by_their_words(tmp_path):
    entity = {"type": "PER", "start": 0, "end": 4}
    rows = [{"entities": [entity], "predicted": [{**entity, "end": 5, "score": 0.5}], "tags": []}]
    finished_runs.write(tmp_path, ["O", "B-PER", "I-PER"], rows, {"test": {}})
    texts = finished_runs.TextsInMemory(["Anna sings"])
    state = {"problem": "token_classification"}
    (tmp_path / layout.PROBLEM).write_text(json.dumps(state))
    table = _tables(errors.section(finished_runs.read(tmp_path, texts)))["mistakes"]
    assert table.rows[0][1:3] == ["Anna (PER)", "Anna  (PER)"]


def test_long_texts_are_cut_with_their_marks(view):
    long = [f"{text} {'and on ' * 100}" for text in TEXTS]
    found = dataclasses.replace(view, texts=finished_runs.TextsInMemory(long))
    marked = _tables(errors.section(found))["mistakes"].rows[0][4]
    assert isinstance(marked, Marked)
    assert len(str(marked)) <= errors.LONGEST_TEXT + 2
    assert str(marked).endswith(" …")
    assert long[196].startswith(str(marked)[:-2])


def test_two_topics_are_two_clusters():
    trains = [f"the train to town {n} was late again" for n in range(30)]
    food = [f"soup number {n} tasted of salt" for n in range(25)]
    found = text_clusters.cluster([*trains, *food], ["nothing in particular was said"] * 20)
    assert [len(one.members) for one in found] == [30, 25]
    assert set(found[0].members) == set(range(30))
    assert "train" in found[0].words
    assert "soup" in found[1].words
    assert text_clusters.cluster(trains[:5], food) == []
    assert text_clusters.cluster([f"{n}x" for n in range(30)], []) == []


def test_words_are_those_of_explained_texts(view):
    view.metrics["read"] = {"test": {"full_length": 20, "unknown_share": 0.01}}
    table, unread = words.section(view).parts
    assert "5 texts" in table.note
    ((answer, token, count, value),) = table.rows
    assert (answer, token, value) == ("yes", "train", count)
    assert unread.rows == [["test", 200, 0.1, 0.01]]


def test_words_say_why_they_are_missing(view):
    part, _ = words.section(dataclasses.replace(view, explain=None)).parts
    assert "ftkeras.main report --run_dir=" in part.reason

    def refuse(texts):
        raise UserError("it cuts windows")

    part, _ = words.section(dataclasses.replace(view, explain=refuse)).parts
    assert part.reason == "it cuts windows."
    table = _tables(errors.section(dataclasses.replace(view, explain=refuse)))["mistakes"]
    assert isinstance(table.rows[0][4], str)


def test_examples_of_train_are_shown(view):
    again = dataclasses.replace(
        view, texts=finished_runs.TextsInMemory(TEXTS, (TEXTS[:3], [1] * 3))
    )
    table = _tables(errors.section(again))["near_duplicates"]
    assert "3, 1.5% of test" in table.title
    assert table.rows[0] == ["test-0", 1.0, TEXTS[0], TEXTS[0]]
    notices = [p.text for p in errors.section(view).parts if isinstance(p, Notice)]
    assert "No example of test nearly repeats one that the model was trained on." in notices
