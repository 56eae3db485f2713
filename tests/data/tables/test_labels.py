import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.data.tables import label_lists, profile
from ftkeras.data.tables.labels import find_labels
from ftkeras.data.tables.profile import Column
from ftkeras.errors import UserError


def _column(*values):
    column = Column("label", 1)
    for line, value in enumerate(values, start=2):
        column.add(line, value)
    return column


def _labels(*values, names=None):
    return find_labels("x.csv", _column(*values), names)


def test_words_are_in_alphabetical_order():
    labels = _labels("pos", " neg", "pos ", "neu")
    assert labels.names == ("neg", "neu", "pos")
    assert [labels.id_of(value) for value in ("neu", " pos", "bad")] == [1, 2, None]


def test_integers_are_in_numerical_order():
    assert _labels(*map(str, range(12))).names == tuple(map(str, range(12)))


@given(st.sets(st.integers(-1000, 1000), min_size=2))
def test_any_integers_are_in_numerical_order(numbers):
    assert _labels(*numbers).names == tuple(map(str, sorted(numbers)))


def test_one_number_written_in_two_ways_is_one_class_and_a_warning():
    labels = _labels("1", "1.0", 2, 2.0)
    assert labels.names == ("1", "2")
    assert labels.id_of("2.00") == labels.id_of(2) == 1
    assert "'1', '1.0' are one label, '1'" in labels.warnings


def test_integers_of_any_size_are_exact():
    large = ("1234567890123456789", "1234567890123456790")
    labels = _labels(*large, names={large[0]: "ann"})
    assert labels.names == ("ann", large[1])
    assert [labels.id_of(value) for value in map(int, large)] == [0, 1]
    assert not labels.warnings


def test_numbers_that_are_named_unlike_the_data_are_a_warning():
    labels = _labels("007", "10", "+8")
    assert labels.names == ("7", "8", "10")
    assert labels.id_of("007") == labels.id_of("7") == 0
    assert labels.warnings == ("the labels '007', '+8' are read as numbers, and named '7', '8'",)


def test_labels_that_differ_in_case_stay_apart_with_a_warning():
    labels = _labels("neg", "Neg", "pos")
    assert labels.names == ("Neg", "neg", "pos")
    assert "'Neg', 'neg' differ only in case" in labels.warnings[0]


def test_labels_that_look_like_missing_values_are_a_warning():
    labels = _labels("NA", "NA", "FR", "#N/A")
    assert labels.warnings == (
        "2 labels are 'NA', which looks like a missing value; remove these rows, or rename the "
        "label",
        "1 label is '#N/A', which looks like a missing value; remove this row, or rename the label",
    )
    assert not _labels("NA", "FR", names={"NA": "Namibia"}).warnings


def test_truth_values_are_written_as_in_json():
    assert _labels(True, False).names == ("false", "true")


def test_names_stand_for_values():
    labels = _labels(1, 2, 1, names={"1": "World", "2": "Sports"})
    assert labels.names == ("World", "Sports")
    assert labels.id_of("2") == 1


@pytest.mark.parametrize(
    ("values", "names", "message"),
    [
        (("a", None, "b", ""), None, r"line 3 of 'x.csv' has no label .* \(2 such rows\)"),
        ((0, float("nan"), 1), None, "line 3 of 'x.csv' has no label"),
        (("a", "a"), None, "every label of 'x.csv' is 'a'"),
        ((1, 2), {"3": "Sports"}, "`label_names` names '3', but .* '1', '2'"),
        ((1, 2), {"1": "x", "2": "x"}, "one name to several labels"),
        (range(2000), None, "more than 1,000 different values"),
    ],
)
def test_what_does_not_fit_is_refused(values, names, message):
    with pytest.raises(UserError, match=message):
        _labels(*values, names=names)


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("['joy' 'anger']", ["joy", "anger"]),  # as NumPy writes arrays, and pandas cells of them
        ("[2 27]", ["2", "27"]),
        ("[1. -2. 0.5]", ["1.0", "-2.0", "0.5"]),
        ("('it', 'is')", ["it", "is"]),
        ("('it',)", ["it"]),
        ("{'it', 2, 'is'}", ["2", "is", "it"]),
        ("(other)", ["(other)"]),
        ("{'it': 1}", ["{'it': 1}"]),
        ("['it', 'is']", ["it", "is"]),
        ('["10 000", "a"]', ["10 000", "a"]),
        ("['10 000']", ["10 000"]),
        ("[{[1]: 2}]", ["[{[1]: 2}]"]),  # no value of Python
        (f"[{'-' * 20_000}1]", [f"[{'-' * 20_000}1]"]),
    ],
)
def test_lists_in_cells_are_read_in_any_notation(cell, labels):
    assert label_lists.labels_of(cell, None) == labels


def test_codes_with_an_underscore_are_no_numbers():
    assert profile.as_number("1_1") is None
    assert profile.as_number("11") == 11
