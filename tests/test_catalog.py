import ast
import inspect
import pathlib

import pytest

import ftkeras
from ftkeras import catalog
from ftkeras.errors import PartError, UserError


def test_spec_with_keys_is_read_as_literals():
    spec = catalog.parse("head", " classification(dropout=0.2, pooling='mean') ")
    assert spec == catalog.Spec("classification", {"dropout": 0.2, "pooling": "mean"})


def test_values_without_a_key_are_those_of_the_first_keys():
    given = catalog.parse("masking", "spans(0.3, 4, longest=8)")
    assert given.arguments == {"rate": 0.3, "mean": 4, "longest": 8}


@pytest.mark.parametrize(
    "text", ["tokens(0.3, rate=0.2)", "tokens(0.1, 0.8, 0.1, 1)", "tokens(*x)"]
)
def test_values_that_have_no_key_of_their_own_are_refused(text):
    with pytest.raises(UserError, match="`masking` must be name or name"):
        catalog.parse("masking", text)


@pytest.mark.parametrize(
    "text", ["", "3", "a b", "f(", "f(1)", "f(x=y)", "f(x=open('a'))", "a.b", "f(**{})", "[f]"]
)
def test_text_that_is_not_a_spec_is_refused(text):
    with pytest.raises(UserError, match="`head` must be name or name") as caught:
        catalog.parse("head", text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("value", ["{[]: 1}", "-" * 100_000, "[" * 1000, "nan", "-inf"])
def test_value_that_python_cannot_read_is_refused_without_a_wrong_remedy(value):
    with pytest.raises(UserError, match="with values written as in Python. Received"):
        catalog.parse("schedule", f"linear(end={value})")


@pytest.mark.parametrize("text", ["linear(end=1, end=2)", "linear(rates={'end': 1, 'end': 2})"])
def test_key_that_is_given_twice_is_refused(text):
    with pytest.raises(UserError, match="`schedule` has the key 'end' twice"):
        catalog.parse("schedule", text)


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


PARTS = [(kind, name) for kind in catalog.KINDS for name in catalog.names(kind)]


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_keys_that_are_read_from_the_source_are_those_of_the_class(kind, name):
    parameters = inspect.signature(catalog.find(kind, name).__init__).parameters
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    known = {n: p for n, p in parameters.items() if p.kind in kinds and n != "self"}
    arguments = catalog.describe(kind, name).arguments
    assert arguments.keys() == known.keys()
    for key, argument in arguments.items():
        default = known[key].default
        given = default is not inspect.Parameter.empty
        assert argument.default == (repr(default) if given else None)


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_checks_that_are_read_from_the_source_accept_the_defaults(kind, name):
    described = catalog.describe(kind, name)
    given = {n: a.default for n, a in described.arguments.items() if a.default is not None}
    described.check({n: ast.literal_eval(text) for n, text in given.items()})
    assert all(argument.about for argument in catalog.keys(kind, name).values())


def test_the_run_sets_what_the_package_passes_to_parts():
    for path in pathlib.Path(ftkeras.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            call = isinstance(node, ast.Call) and ast.unparse(node.func)
            if call in ("catalog.build", "catalog.construct"):
                kind = ast.literal_eval(node.args[0])
                given = {keyword.arg for keyword in node.keywords}
                assert given <= set(catalog.SET_BY_RUN.get(kind, ())), f"{kind} in {path}"


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        ("schedule", "cosin", "Received: 'cosin'; did you mean cosine?"),
        ("schedule", "linear(ned=1)", "there is no key 'ned'; did you mean end?"),
        ("policy", "lora(rnk=3)", "did you mean rank? Its keys are: rank, alpha, targets, pooler."),
        ("batching", "padded(size=3)", "there is no key 'size'. It takes none."),
        ("loss", "focal(name='x')", "there is no key 'name'"),
        ("group_by", "column", "needs name"),
        (
            "schedule",
            "cosine(cycles='x')",
            "`cycles` must be an integer of at least 1. Received: 'x'.",
        ),
        ("schedule", "cosine(restart_decay=3)", "`restart_decay` must be above 0, at most 1"),
        ("optimizer", "adamw(decay=-1)", "`decay` must be at least 0"),  # checked by a base class
        ("export", "saved_model(dtype='x')", "must be one of float32, bfloat16, float16"),
        (
            "export",
            "saved_model(compute='x')",
            "`compute` must be one of float32, bfloat16, float16",
        ),
        ("encoder", "bert(layers=2)", "needs checkpoint='folder or Hub id', or vocabulary="),
        ("encoder", "bert(vocabulary='x', layers=0)", "`layers` must be an integer of at least 1"),
        ("encoder", "bert(vocabulary='x', hidden=30, heads=4)", "`heads` must be a divisor of"),
        ("encoder", "bert(vocabulary=3)", "`vocabulary` must be a string. Received: 3."),
        ("encoder", "robert(checkpoint='x')", "`encoder` must be one of"),
        ("encoder", "bert(vocabulary=/a/b.txt)", "written as in Python: vocabulary='/a/b.txt'."),
        ("masking", "spans(mean=3, rate=high)", "written as in Python: rate='high'."),
        ("optimizer", "adamw(lazy=true)", "written as in Python: lazy=True."),
        ("encoder", "bert(layers=2", "with values written as in Python. Received: 'bert(layers=2'"),
    ],
)
def test_wrong_spec_is_found_without_importing_its_part(kind, spec, message):
    with pytest.raises(UserError) as caught:
        catalog.check(kind, spec)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("encoder", "org/name"),
        ("encoder", "bert(vocabulary='x', intermediate=None)"),
        ("policy", "gradual_unfreezing(every=2)"),
        ("schedule", "step(boundaries=(0.3, 0.6))"),
        ("schedule", "cosine(end=1e-6)"),  # from 0 to the peak, which only the run knows
    ],
)
def test_valid_spec_passes(kind, spec):
    catalog.check(kind, spec)


def test_regular_expression_in_a_spec_gives_no_warning(recwarn):
    spec = catalog.parse("optimizer", r"adamw(no_decay='\d+')")
    assert spec.arguments == {"no_decay": r"\d+"}
    assert SyntaxWarning not in [warning.category for warning in recwarn]
