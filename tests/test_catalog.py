import pytest

from ftkeras import catalog
from ftkeras.errors import UserError


def test_spec_with_keys_is_read_as_literals():
    spec = catalog.parse("head", " classification(dropout=0.2, pooling='mean') ")
    assert spec == catalog.Spec("classification", {"dropout": 0.2, "pooling": "mean"})


@pytest.mark.parametrize(
    "text", ["", "3", "a b", "f(", "f(1)", "f(x=y)", "f(x=open('a'))", "a.b", "f(**{})", "[f]"]
)
def test_text_that_is_no_spec_is_refused_naming_flag_and_text(text):
    with pytest.raises(UserError, match="--head") as caught:
        catalog.parse("head", text)
    assert repr(text) in str(caught.value)


def test_unknown_part_lists_those_there_are():
    with pytest.raises(UserError, match="--schedule.*'linaer'.*constant.*linear"):
        catalog.build("schedule", "linaer", peak=1.0, total_steps=10)


def test_unknown_key_lists_those_there_are():
    with pytest.raises(UserError, match=r"--schedule=linear\(ned=1\).*'ned'.*end"):
        catalog.build("schedule", "linear(ned=1)", peak=1.0, total_steps=10)


def test_what_the_run_knows_cannot_be_set_by_a_spec():
    with pytest.raises(UserError, match="no key 'total_steps'"):
        catalog.build("schedule", "linear(total_steps=3)", peak=1.0, total_steps=10)


def test_value_out_of_bounds_names_the_flag():
    with pytest.raises(UserError, match=r"--head=classification\(dropout=2\).*dropout.*2"):
        catalog.build("head", "classification(dropout=2)", classes=2)


def test_missing_key_is_named():
    with pytest.raises(UserError, match="needs train, test"):
        catalog.build("task", "classification")


def test_private_modules_are_no_parts():
    assert not [name for kind in catalog.KINDS for name in catalog.names(kind) if name[0] == "_"]
