import pytest

from ftkeras.data.tables.inference import Chosen, find_problem, infer_roles
from ftkeras.data.tables.profile import profile
from ftkeras.errors import UserError

TEXTS = [
    "The meal was rather dull tonight",
    "The film was a great surprise",
    "It was fine, I think",
]


class _Table:
    name, notes = "x.csv", ()

    def __init__(self, columns, rows):
        self.columns, self._rows = tuple(columns), rows

    def rows(self):
        return enumerate(self._rows, start=2)


def _infer(columns, rows, **chosen):
    return infer_roles(profile(_Table(columns, rows)), Chosen(**chosen))


def _rows(*makers, count=30):
    return [tuple(make(i) for make in makers) for i in range(count)]


def _text(i):
    return f"{TEXTS[i % 3]} {i}"


def _sentiment(i):
    return ("neg", "pos")[i % 2]


def test_text_and_label_are_known_by_their_names():
    roles = _infer(("id", "Review", "Label"), _rows(str, _text, _sentiment))
    assert (roles.text, roles.label, roles.pair) == ((1,), 2, None)
    assert roles.notes == ("label from column 'Label'", "text from column 'Review'")


def test_without_names_the_values_tell():
    roles = _infer("012", _rows(lambda i: str(i % 4 + 1), lambda i: f"Title of news {i}", _text))
    assert (roles.text, roles.label) == ((1, 2), 0)


def test_names_that_differ_in_a_number_are_a_pair():
    columns = ("Quality", "#1 ID", "#2 ID", "#1 String", "#2 String")
    roles = _infer(columns, _rows(lambda i: i % 2, lambda i: 7 * i, lambda i: 9 * i, _text, _text))
    assert (roles.text, roles.pair, roles.label) == ((3,), 4, 0)


def test_known_pairs_are_pairs():
    roles = _infer(("premise", "hypothesis", "label"), _rows(_text, _text, _sentiment))
    assert (roles.text, roles.pair) == ((0,), 1)


def test_the_users_choice_wins():
    rows = _rows(_text, _text, _sentiment, lambda i: "abc"[i % 3])
    columns = ("title", "body", "label", "stars")
    roles = _infer(columns, rows, text=("body", 0), label="stars")
    assert (roles.text, roles.label, roles.notes) == ((1, 0), 3, ())


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        (_sentiment, "classification"),
        (lambda i: i % 5, "classification"),
        (lambda i: float(i % 5), "classification"),
        (lambda i: i % 5 + 0.5, "regression"),
        (lambda i: i % 60, "regression"),
        (lambda i: ["a", "b"][: i % 2 + 1], "multi_label"),
        (lambda i: ("joy", "anger", "joy,anger")[i % 3], "multi_label"),
        (lambda i: ("27", "3; 27", "3", "3;10", "10")[i % 5], "multi_label"),
        (lambda i: ("sad|angry", "angry|happy", "sad|happy", "sad")[i % 4], "multi_label"),
        (lambda i: ("red, green", "blue")[i % 2], "classification"),
        (lambda i: ("Rock; Pop", "Jazz", "Rock, loud")[i % 3], "classification"),
    ],
)
def test_problem_follows_from_the_labels(label, problem):
    columns = profile(_Table(("text", "label"), _rows(_text, label, count=300))).columns
    assert find_problem(columns[1]) == problem


def test_two_possible_labels_are_shown_and_not_guessed():
    rows = _rows(_text, _sentiment, lambda i: "abc"[i % 3])
    with pytest.raises(UserError, match="`label_column`: .* 'mood' or 'genre'"):
        _infer(("text", "mood", "genre"), rows)


def test_table_without_labels_may_hold_pairs():
    with pytest.raises(UserError, match="no column .* 'body', 'reply'. Name one. .*positive_pairs"):
        _infer(("body", "reply"), _rows(_text, _text))
    with pytest.raises(UserError, match="no column .* Name one.$"):
        _infer(("body",), _rows(_text))


def test_where_an_answer_starts_is_no_label():
    rows = _rows(_text, _sentiment, lambda i: str(i % 3))
    assert _infer(("passage", "mood", "answer_start"), rows).label == 1


def test_texts_are_not_taken_for_classes():
    columns = profile(_Table("01", _rows(_text, lambda i: f"name {i}", count=205))).columns
    with pytest.raises(UserError, match="too many to be classes; name the column"):
        find_problem(columns[1])
    with pytest.raises(UserError, match="write numbers as 3.5, .* Received: 'name 0'"):
        find_problem(columns[1], named=True)


@pytest.mark.parametrize("other", ["3,5", "3", "-4"])  # spreadsheets write 3 beside 3,5
def test_numbers_with_a_decimal_comma_are_not_taken_for_lists(other):
    rows = _rows(_text, lambda i: f"{i % 5},{i % 10}" if i % 3 else other)
    message = "point and set task=regression; .* label_separator=','. Received: '.,.'"
    with pytest.raises(UserError, match=message):
        find_problem(profile(_Table("01", rows)).columns[1])


def test_tags_of_words_are_no_labels_of_texts():
    rows = _rows(lambda i: f"w{i}", lambda i: ("O", "B-PER", "I-PER")[i % 3])
    for chosen in ({}, {"text": ("Word",)}):
        with pytest.raises(UserError, match="'Tag' has the tag of one word .* blank line .* JSON"):
            _infer(("Word", "Tag"), rows, **chosen)
    with pytest.raises(UserError, match="'Tag' has the tag of one word"):
        find_problem(profile(_Table(("Word", "Tag"), rows)).columns[1])
    graded = _rows(_text, lambda i: ("O", "A")[i % 2])
    assert _infer(("text", "blood type"), graded).label == 1


def test_column_that_occurs_twice_is_refused_but_for_its_number():
    rows = _rows(_text, _sentiment, _sentiment)
    columns = ("text", "label", "label")
    with pytest.raises(UserError, match="2 columns named 'label'; .* 1 or 2"):
        _infer(columns, rows)
    assert _infer(columns, rows, label=2).label == 2


def test_missing_column_is_named_with_those_there_are():
    with pytest.raises(UserError, match="`label_column`: .* no column 'stars'.*'text', 'label'"):
        _infer(("text", "label"), _rows(_text, _sentiment), label="stars")


def test_profile_counts_what_is_missing_and_where():
    rows = [("a b c", 1.0), ("", float("nan")), ("d e f", None), ("g h i", 2.0)]
    text, label = profile(_Table(("text", "label"), rows)).columns
    assert (text.missing, text.first_missing, text.values) == (1, 3, 3)
    assert (label.missing, label.first_missing, label.counts) == (2, 3, {"1.0": 1, "2.0": 1})
