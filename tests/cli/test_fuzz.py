"""Any command line and any file: the exit code is 0 or 2, and an error is one line.

No command here trains: it prints, or something in it is wrong. The data of a valid command are too
few for a validation split, or name columns that are not there.
"""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftkeras import catalog
from ftkeras.cli.commands import VERBS, flag_fields
from ftkeras.errors import UserError
from ftkeras.main import main
from tests.running import QUICK

# The same tests run more often in `make test-all`.
FEW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(FEW, max_examples=2000)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
FLAGS = sorted({field.name for verb in VERBS.values() for field in flag_fields(verb.config)})
# Verbs without data to read, and what makes a command of the others fail before it trains.
HARMLESS = ("predict", "deploy", "compare", "evaluate", "export", "launch")
PARTS = [(kind, name) for kind in catalog.KINDS for name in catalog.names(kind)]
VALUES = st.one_of(
    *(
        TEXT,
        st.integers(-10, 10).map(str),
        st.floats().map(str),
        st.sampled_from(["", "none", "~"]),
    ),
    *(st.sampled_from([name for _, name in PARTS]), st.sampled_from(["(", "=", "a=b", "[", "'"])),
)
LITERALS = st.one_of(
    *(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-2, 2), TEXT),
    *(st.just(()), st.tuples(st.integers(0, 3), TEXT), st.dictionaries(TEXT, st.floats(0, 1))),
)


@st.composite
def specs(draw):
    """Return a flag with a spec whose keys or values are mostly wrong."""
    kind, name = draw(st.sampled_from(PARTS))
    name = draw(st.sampled_from([name, name[:-1], f"{name}x"]) | TEXT)
    keys = [*(catalog.keys(kind, name) if (kind, name) in PARTS else ()), "unknown"]
    given_keys = draw(st.lists(st.sampled_from(keys), max_size=3))
    written = ", ".join(f"{key}={draw(LITERALS)!r}" for key in given_keys)
    closing = draw(st.sampled_from([")", ")", ")", "", "))", ")x"]))
    return f"--{kind}={name}({written}{closing}"


@st.composite
def flags(draw):
    """Return a flag: a known or an unknown one, with any value or none."""
    name = draw(st.sampled_from(FLAGS) | TEXT)
    dashes = draw(st.sampled_from(["--", "--", "--", "-", "---", ""]))
    return f"{dashes}{name}" + draw(st.just("") | VALUES.map("={}".format))


@st.composite
def commands(draw):
    """Return a command line that prints or fails."""
    verb = draw(st.sampled_from([*HARMLESS, "help", "completion", "--version"]) | TEXT)
    rest = draw(st.lists(st.one_of(flags(), specs(), VALUES), max_size=4))
    if verb in VERBS and verb not in HARMLESS:
        rest.append("--no_such_flag")
    return [verb, *rest]


def _ends_well(capsys, arguments):
    """Run a command; return its messages on standard error."""
    capsys.readouterr()
    code = main(arguments)
    output = capsys.readouterr().err
    assert code in (0, 2), output
    assert "Traceback" not in output
    errors = [line for line in output.split("\n")[:-1] if not line.startswith("warning: ")]
    assert len(errors) == (code == 2), output
    return output


@pytest.fixture(autouse=True)
def _nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("sys.stdin", None)


def _is_safe(arguments):
    """Return whether a command cannot train: what it starts with is no flag of train."""
    return not arguments[0].startswith("-") or arguments[0] in ("--version", "-V")


def _fuzz_commands(capsys, arguments):
    if _is_safe(arguments) and "--debug" not in " ".join(arguments):
        _ends_well(capsys, arguments)


def _fuzz_specs(capsys, flag):
    kind, _, spec = flag.removeprefix("--").partition("=")
    if kind in ("strategy", "oracle"):  # a strategy may connect to other machines
        with contextlib.suppress(UserError):
            catalog.check(kind, spec)
        return
    # The data or the vocabulary do not exist, so a valid spec is refused as well.
    missing = ["--task=classification(train='nowhere.csv')"]
    if kind == "task":
        missing = ["--encoder=bert(layers=1, hidden=8, heads=1, vocabulary='none.txt')"]
    folds = ["--folds=2", "--fold=0"] if kind == "group_by" else []
    assert _ends_well(capsys, ["train", *QUICK, flag, *missing, *folds])


@st.composite
def tables(draw):
    """Return a file's name and its bytes: a broken table, or any bytes."""
    suffix = draw(st.sampled_from([".csv", ".tsv", ".json", ".jsonl", ".txt", ".gz", ".parquet"]))
    cells = st.lists(TEXT | st.sampled_from(["a,b", 'x"', "1", "NaN", ""]), max_size=4)
    rows = draw(st.lists(cells, max_size=5))
    delimiter = draw(st.sampled_from([",", "\t", ";", "|", ", "]))
    table = "\n".join(delimiter.join(row) for row in rows)
    text = draw(st.sampled_from([table, json.dumps(rows), "\n".join(map(json.dumps, rows))]))
    codec = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    content = text.encode(codec, "replace")
    return suffix, draw(st.just(content) | st.binary(max_size=60))


@st.composite
def columns(draw):
    """Return flags about the columns of a table."""
    names = st.sampled_from(["text", "0", "1", "9", "a", "text,body", ""])
    return [
        f"--{flag}={draw(names)}"
        for flag in ("text_column", "label_column", "pair_column", "delimiter", "label_names")
        if draw(st.integers(0, 4)) == 0
    ]


def _fuzz_tables(capsys, tmp_path, table, flags):
    suffix, content = table
    path = tmp_path / f"data{suffix}"
    path.write_bytes(content)
    encoder = "--encoder=bert(layers=1, hidden=8, heads=1, vocabulary='none.txt')"
    _ends_well(capsys, ["train", str(path), encoder, *flags])


@FEW
@given(commands())
def test_any_command_line_ends_well(capsys, arguments):
    _fuzz_commands(capsys, arguments)


@FEW
@given(specs())
def test_any_spec_ends_well(capsys, flag):
    _fuzz_specs(capsys, flag)


@FEW
@given(tables(), columns())
def test_any_file_ends_well(capsys, tmp_path, table, flags):
    _fuzz_tables(capsys, tmp_path, table, flags)


@pytest.mark.matrix
@MANY
@given(commands())
def test_many_command_lines_end_well(capsys, arguments):
    _fuzz_commands(capsys, arguments)


@pytest.mark.matrix
@MANY
@given(specs())
def test_many_specs_end_well(capsys, flag):
    _fuzz_specs(capsys, flag)


@pytest.mark.matrix
@MANY
@given(tables(), columns())
def test_many_files_end_well(capsys, tmp_path, table, flags):
    _fuzz_tables(capsys, tmp_path, table, flags)
