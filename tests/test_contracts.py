import pytest

from ftkeras import catalog
from ftkeras.errors import UserError
from tests import contracts

ALL = [(kind, name) for kind in catalog.KINDS for name in catalog.names(kind)]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_part_is_found_by_its_file_name(kind, name):
    assert catalog.find(kind, name).__name__.lower() == name.replace("_", "")


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_part_has_a_docstring(kind, name):
    assert catalog.find(kind, name).__doc__


@pytest.mark.parametrize(("kind", "name"), contracts.PARTS)
def test_part_is_built_from_its_name_alone(kind, name):
    contracts.make(kind, name)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        part
        for part in contracts.PARTS
        if part[0] not in ("average", "batching", "oracle", "track", "truncation")
        and not catalog.KINDS[part[0]].startswith("phases/")
    ],
)
def test_part_is_rebuilt_from_its_config(kind, name):
    part = contracts.make(kind, name)
    assert contracts.round_trip(part).get_config() == part.get_config()


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [(*part, key) for part in contracts.PARTS for key in contracts.numeric_keys(*part)],
)
def test_number_out_of_bounds_is_refused(kind, name, key):
    with pytest.raises(UserError, match=rf"`{key}`.*-1"):
        contracts.make(kind, name, **{key: -1})


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [(*part, key) for part in contracts.PARTS for key in contracts.boolean_keys(*part)],
)
def test_word_for_true_or_false_is_refused(kind, name, key):
    with pytest.raises(UserError, match=rf"`{key}` must be True or False.*'False'"):
        contracts.make(kind, name, **{key: "False"})


@pytest.mark.parametrize("value", ["half", True])
@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [(*part, key) for part in contracts.PARTS for key in contracts.numeric_keys(*part)],
)
def test_what_is_no_number_is_refused(kind, name, key, value):
    with pytest.raises(UserError, match=rf"`{key}` must be .*{value}"):
        contracts.make(kind, name, **{key: value})
