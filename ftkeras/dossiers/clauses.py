"""Clauses of laws and standards, and the parts of a dossier that answer them."""

import importlib.resources
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftkeras.dossiers import about as about_file
from ftkeras.dossiers.about import About
from ftkeras.dossiers.part import Part
from ftkeras.errors import UserError
from ftkeras.support.nearest import hint

SHOWN, STATED, MISSING = "shown", "stated", "missing"
KEYS, CLAUSE_KEYS = ("title", "source", "clauses"), ("id", "asks", "needs")
# What a list of clauses calls the statements of people.
STATEMENTS = "about."


@dataclass(frozen=True)
class Clause:
    """A clause, paraphrased.

    Attributes:
        id: what the source calls it.
        asks: what it asks for.
        needs: what answers it, all of these. Each is one or more paths, such as "data.files" or
            "about.data.source", of which one is enough.
    """

    id: str
    asks: str
    needs: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Clauses:
    """The clauses of one source.

    Attributes:
        name: what `require` calls them.
        title: what the page calls them.
        source: where their text is.
        clauses: in the order of the source.
    """

    name: str
    title: str
    source: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class Answer:
    """The answer of a dossier to a clause.

    Attributes:
        clause: the clause.
        status: "missing" if any of its needs is; otherwise "stated" if a person states any of
            them, or "shown" if files show all.
        by: the files that show it and the statements about it, with their keys.
        lacks: the needs that are missing, as the list of clauses writes them.
    """

    clause: Clause
    status: str
    by: tuple[str, ...]
    lacks: tuple[str, ...]


def names() -> list[str]:
    """Return the names of the lists of clauses that come with the package."""
    home = importlib.resources.files("ftkeras.dossiers").joinpath("clauses")
    return sorted(pathlib.Path(str(path)).stem for path in home.iterdir())


def read(name: str, parts: Sequence[str]) -> Clauses:
    """Return a list of clauses.

    Args:
        name: one that comes with the package, or a YAML file like those.
        parts: the names of the parts of a dossier.

    Raises:
        UserError: if there is none of that name, or the file is wrong.
    """
    blame = f"require={name}"
    if name in names():
        home = importlib.resources.files("ftkeras.dossiers").joinpath("clauses")
        path = str(home.joinpath(f"{name}.yaml"))
    elif name.endswith((".yaml", ".yml")):
        path = name
    else:
        raise UserError(
            f"{blame}: there is no such list of clauses{hint(name, names())} "
            f"Use {', '.join(names())}, or a .yaml file."
        )
    content = about_file.read_yaml(path, blame)
    _check_keys(content, KEYS, blame)
    if not isinstance(content["clauses"], list) or not content["clauses"]:
        raise UserError(f"{blame}: `clauses` must be a list of clauses.")
    clauses = tuple(_clause(entry, parts, blame) for entry in content["clauses"])
    _check_texts(content, ("title", "source"), blame)
    ids = [clause.id for clause in clauses]
    if twice := [one for one in ids if ids.count(one) > 1]:
        raise UserError(f"{blame}: the clause {twice[0]!r} occurs twice.")
    return Clauses(pathlib.Path(name).stem, content["title"], content["source"], clauses)


def answer(clause: Clause, parts: Mapping[str, Part], about: About) -> Answer:
    """Return how the parts of a dossier, and what people state, answer a clause.

    Args:
        clause: the clause.
        parts: of the dossier, by name.
        about: what people state.
    """
    evidence = {need: _first(need, parts, about) for need in clause.needs}
    lacks = tuple(" or ".join(need) for need, path in evidence.items() if path is None)
    paths = [path for path in evidence.values() if path is not None]
    is_stated = any(path.startswith(STATEMENTS) for path in paths)
    status = MISSING if lacks else STATED if is_stated else SHOWN
    return Answer(clause, status, tuple(map(_where, paths)), lacks)


def _first(need: Sequence[str], parts: Mapping[str, Part], about: About) -> str | None:
    """Return the first path of a need that leads to something; None if none does."""
    for path in need:
        first, *keys = path.split(".")
        if path.startswith(STATEMENTS):
            value = about.statements.get(".".join(keys))
        else:
            value = parts[first].find(keys) if first in parts else None
        if value is not None:
            return path
    return None


def _where(path: str) -> str:
    first, _, keys = path.partition(".")
    file = "about.yaml" if first == STATEMENTS[:-1] else f"{first}.json"
    return f"{file}: {keys}"


def _check_keys(content: Any, keys: Sequence[str], blame: str) -> None:
    if not isinstance(content, dict) or set(content) != set(keys):
        received = ", ".join(content) if isinstance(content, dict) else repr(content)
        raise UserError(f"{blame}: needs the keys {', '.join(keys)}. Received: {received}.")


def _check_texts(content: Mapping[str, Any], keys: Sequence[str], blame: str) -> None:
    for key in keys:
        if not isinstance(content[key], str) or not content[key]:
            raise UserError(f"{blame}: `{key}` must be a string. Received: {content[key]!r}.")


def _clause(entry: Any, parts: Sequence[str], blame: str) -> Clause:
    _check_keys(entry, CLAUSE_KEYS, f"{blame}: a clause")
    _check_texts(entry, ("id", "asks"), f"{blame}: a clause")
    blame = f"{blame}: clause {entry['id']}"
    needs = entry["needs"]
    if not isinstance(needs, list) or not needs or not all(isinstance(n, str) for n in needs):
        raise UserError(f"{blame}: `needs` must be a list of paths, such as data.files.")
    paths = tuple(tuple(path.strip() for path in need.split(" or ")) for need in needs)
    for path in (path for need in paths for path in need):
        _check_path(path, parts, blame)
    return Clause(entry["id"], entry["asks"], paths)


def _check_path(path: str, parts: Sequence[str], blame: str) -> None:
    first, _, key = path.partition(".")
    if f"{first}." == STATEMENTS:
        if key not in (known := about_file.keys()):
            raise UserError(f"{blame}: about.yaml has no key {key!r}{hint(key, known)}")
    elif first not in parts or not key:
        known = ["about", *parts]
        raise UserError(
            f"{blame}: {path!r} must be part.key{hint(first, known)} "
            f"The parts are: {', '.join(known)}."
        )
