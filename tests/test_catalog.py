import pytest

from ftkeras import catalog
from ftkeras.errors import PartError, UserError


def test_spec_with_keys_is_read_as_literals():
    spec = catalog.parse("head", " classification(dropout=0.2, pooling='mean') ")
    assert spec == catalog.Spec("classification", {"dropout": 0.2, "pooling": "mean"})


@pytest.mark.parametrize(
    "text", ["", "3", "a b", "f(", "f(1)", "f(x=y)", "f(x=open('a'))", "a.b", "f(**{})", "[f]"]
)
def test_text_that_is_not_a_spec_is_refused(text):
    with pytest.raises(UserError, match="`head` must be name or name") as caught:
        catalog.parse("head", text)
    assert repr(text) in str(caught.value)


def test_unknown_part_lists_the_known_ones():
    with pytest.raises(UserError, match="`schedule` must be one of constant, .*linear.*'linaer'"):
        catalog.build("schedule", "linaer", peak=1.0, total_steps=10)


def test_unknown_key_lists_the_known_ones():
    with pytest.raises(UserError, match=r"^schedule=linear\(ned=1\).*'ned'.*end"):
        catalog.build("schedule", "linear(ned=1)", peak=1.0, total_steps=10)


def test_a_spec_cannot_set_what_the_run_knows():
    with pytest.raises(UserError, match="no key 'total_steps'"):
        catalog.build("schedule", "linear(total_steps=3)", peak=1.0, total_steps=10)


def test_value_out_of_bounds_names_part_and_key():
    with pytest.raises(UserError, match=r"^head=classification\(dropout=2\): `dropout`.*2"):
        catalog.build("head", "classification(dropout=2)", classes=2)


def test_missing_key_is_named():
    with pytest.raises(UserError, match="needs train"):
        catalog.build("task", "classification")


def test_private_modules_are_not_parts():
    assert not [name for kind in catalog.KINDS for name in catalog.names(kind) if name[0] == "_"]


def test_a_part_error_carries_kind_spec_and_reason():
    with pytest.raises(PartError) as caught:
        catalog.build("head", "classification(dropout=2)", classes=2)
    assert (caught.value.kind, caught.value.spec) == ("head", "classification(dropout=2)")
    assert "`dropout`" in caught.value.reason


def test_description_is_read_without_an_import():
    kind, docstring = catalog.describe("linear")
    assert kind == "schedule"
    assert "rate(t) = peak" in docstring
    assert catalog.describe("linaer") is None
