"""Options of questions in tables, in the layouts of published data sets."""

import pytest

from ftkeras.data.tables import options
from ftkeras.data.tables.options import Options

LISTED = {"text": ["I", "you"], "label": ["A", "B"]}
SWAG = ("sent1", "ending0", "ending1", "ending2", "ending3", "label")


@pytest.mark.parametrize(
    ("columns", "row", "positions"),
    [
        (SWAG, ("He", "ran", "sat", "ate", "sang", 2), (1, 2, 3, 4)),
        (("premise", "choice2", "choice1", "label"), ("Rain", "a", "b", 0), (2, 1)),
        (("goal", "sol1", "sol2", "label"), ("Cook", "a", "b", 1), (1, 2)),
        (("question", "option_a", "option_b", "answer"), ("Who?", "a", "b", "A"), (1, 2)),
        (("question", "choices", "answerKey"), ("Who?", LISTED, "B"), (1,)),
        (("article", "options", "answer"), ("Long", '["a", "b"]', "B"), (1,)),
        (("ctx", "endings", "label"), ("He", ["a", "b", "c"], "2"), (1,)),
        (("sentence", "option1", "option2", "answer"), ("He _", "a", "b", "2"), (1, 2)),
        # Not questions with options: gaps in the numbers, no answer, an answer that is none.
        (("text", "choice1", "choice3", "label"), ("Rain", "a", "b", 0), ()),
        (("text", "option1", "option2"), ("Rain", "a", "b"), ()),
        (("text", "option1", "option2", "label"), ("Rain", "a", "b", "sad"), ()),
        (("text", "answers", "label"), ("Rain", ["a"], 0), ()),
        (("text", "choices", "label"), ("Rain", "a lot", 0), ()),
    ],
)
def test_columns_of_options_are_found(columns, row, positions):
    assert options.find(columns, [row, row], None) == positions


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([["I", "you"]], Options(("I", "you"))),
        ([[1, 2.5]], Options(("1", "2.5"))),
        (["['I', 'you']"], Options(("I", "you"))),
        ([[{"label": "A", "text": "I"}, {"label": "B", "text": "you"}]], options.read([LISTED])),
        ([{"text": ["I", "you"], "label": None}], Options(("I", "you"))),
        (["I", "you", ""], Options(("I", "you"), ("a", "b"))),
    ],
)
def test_options_are_read(values, expected):
    assert options.read(values, ["a", "b", "c"]) == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["I", None, "you"], "option 'b' is empty, but not the last"),
        (["I", None, None], "two or more options. Received: 1"),
        ([["I"]], "two or more options. Received: 1"),
        ([{"text": 5, "label": ["A"]}], "two or more options. Received: 1"),
        ([{"text": None, "label": None}], "two or more options. Received: 0"),
        (["[{[1]: 2}]"], "must be a list of texts"),  # no value of Python
        (["yes or no"], "must be a list of texts. Received: 'yes or no'"),
        ([["I", ""]], "must be a list of texts"),
    ],
)
def test_bad_options_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        options.read(values, ["a", "b", "c"])


FOUR = Options(("red", "blue", "green", "2"), ("P", "Q", "R", "S"))


@pytest.mark.parametrize(
    ("answers", "notation", "numbers"),
    [
        ([0, 3], "number from 0", [0, 3]),
        ([1, 4], "number from 1", [0, 3]),
        (["1", "2.0"], "number from 0", [1, 2]),
        (["Q", "S"], "name", [1, 3]),
        (["b", "D"], "letter", [1, 3]),
        (["green", "2"], "text", [2, 3]),
    ],
)
def test_answers_name_an_option(answers, notation, numbers):
    assert options.find_notation((answer, FOUR) for answer in answers) == notation
    assert [options.index(notation, answer, FOUR) for answer in answers] == numbers


def test_answers_that_name_no_option_are_shown():
    with pytest.raises(ValueError, match="the answer 'pink' is none of the options 'red', 'blue'"):
        options.find_notation([("pink", FOUR), ("white", FOUR)])


COLUMNS = ("question", "option_a", "option_b", "option_c", "answer")


@pytest.mark.parametrize(
    ("columns", "good", "bad"),
    [
        (COLUMNS, ("Who?", "I", "you", "he", "C"), ("Who?", "I", "you", "he", "E")),
        (COLUMNS, ("Who?", "I", "you", "he", "C"), ("Who?", "I", "", "he", "C")),
        (COLUMNS, ("Who?", "I", "you", "he", "C"), ("Who?", "I", "you", "", "C")),
        (("question", "options", "answer"), ("Who?", ["I", "you"], "A"), ("Who?", ["I"], "A")),
    ],
)
def test_few_bad_rows_do_not_hide_options(columns, good, bad):
    assert options.find(columns, [*[good] * 10, bad], None)
    assert not options.find(columns, [good, bad], None)


def test_ties_beside_two_options_are_a_class():
    rows = [("Who?", "I", "you", answer) for answer in [0, 1] * 4 + [2]]
    assert not options.find(["question", "choice1", "choice2", "label"], rows, None)
