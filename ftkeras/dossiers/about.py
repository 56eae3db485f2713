"""Statements of people about a model and its data, in about.yaml."""

import datetime
import importlib.resources
import os
import pathlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ftkeras.errors import UserError
from ftkeras.support.nearest import hint

# What the template has where nothing is stated, and what is to be stated there.
DAY, ADDRESS = "YYYY-MM-DD", "https://"
EMPTY = {
    "": "a text",
    "null": "yes or no",
    "~": "a number",
    DAY: "a day, such as 2026-11-30",
    ADDRESS: "an address, such as https://example.org/model",
}
TRUTH = {"yes": True, "true": True, "no": False, "false": False}
# Not "Todos los textos", or the company Todoist.
UNFINISHED = re.compile(r"(?:TODO|todo)\b|Todo\s*(?::|$)")


@dataclass(frozen=True)
class About:
    """Statements, by section and key.

    Attributes:
        statements: what is stated, by a key such as "purpose.intended_use"; a text, a list of
            texts, True or False, or a number. Nothing is left empty.
    """

    statements: Mapping[str, Any] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """Return a statement as a text; "" if nothing is stated."""
        statement = self.statements.get(key)
        if isinstance(statement, bool):
            return "yes" if statement else "no"
        if isinstance(statement, list):
            return "; ".join(statement)
        return "" if statement is None else str(statement)

    def sections(self) -> dict[str, dict[str, str]]:
        """Return all keys of the template by section, each with its statement as a text.

        A key that stands in no section has one of its own.
        """
        by_section: dict[str, dict[str, str]] = {}
        for key in keys():
            by_section.setdefault(key.partition(".")[0], {})[key] = self.text(key)
        return by_section


def template() -> str:
    """Return an about.yaml in which nothing is stated, with a comment about each key."""
    home = importlib.resources.files("ftkeras.dossiers")
    return home.joinpath("about.yaml").read_text(encoding="utf-8")


def keys() -> dict[str, Any]:
    """Return the keys that about.yaml may have, each with its value in the template."""
    return dict(_leaves(load(template())))


def read(path: str | os.PathLike[str]) -> About:
    """Read an about.yaml, of which each part may be missing.

    Args:
        path: the file.

    Raises:
        UserError: if it can't be read, or has a key that the template lacks, a key twice, or a
            value of another kind.
    """
    blame = f"about={path}"
    content = read_yaml(path, blame)
    allowed = load(template())
    statements = {}
    for section, value in content.items():
        expected = _expected(section, allowed, blame)
        if not isinstance(expected, dict):
            statements[section] = _value(section, value, expected, blame)
            continue
        if isinstance(value, str) and not _is_stated(value):
            continue
        if not isinstance(value, dict):
            raise UserError(
                f"{blame}: the section {section} must have keys, such as {next(iter(expected))}. "
                f"Received: {value!r}."
            )
        for name, inner in value.items():
            kind = _expected(name, expected, blame, f"{section}.")
            statements[f"{section}.{name}"] = _value(f"{section}.{name}", inner, kind, blame)
    return About({key: value for key, value in statements.items() if value not in (None, "", [])})


def read_yaml(path: str | os.PathLike[str], blame: str) -> dict[str, Any]:
    """Return the mapping in a YAML file, whose scalars are all texts.

    Args:
        path: the file.
        blame: what the messages begin with.

    Raises:
        UserError: if it can't be read, is no mapping, or has a key twice.
    """
    try:
        content = load(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{blame} can't be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}."
        ) from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UserError(f"{blame}: {line}{error.problem}.") from None
    except yaml.YAMLError as error:
        raise UserError(f"{blame} is not YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise UserError(f"{blame} must be a mapping of keys to values.")
    return content


def load(text: str) -> Any:
    """Return the content of a YAML text; every scalar is a text, as 1.10 is no number here."""
    return yaml.load(text, _Loader)


class _Loader(yaml.BaseLoader):
    """Loads texts, lists and mappings, and refuses a key that occurs twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                problem = "a key must be a text; put a value with braces in quotes"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} occurs twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _leaves(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _expected(name: str, allowed: Mapping[str, Any], blame: str, prefix: str = "") -> Any:
    if name not in allowed:
        # Without backticks: they mark arguments, and there is one of the name `data`.
        where = f" in the section {prefix[:-1]}" if prefix else ""
        raise UserError(
            f"{blame}: there is no key {name!r}{where}{hint(name, allowed)} "
            f"The keys are: {', '.join(allowed)}."
        )
    return allowed[name]


def _value(key: str, value: Any, expected: Any, blame: str) -> Any:
    """Return a statement, or what counts as none; raise UserError if it is of another kind."""
    if isinstance(expected, list):
        if isinstance(value, str) and not _is_stated(value):
            return []
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise UserError(
                f"{blame}: `{key}` must be a list of texts, such as [one, two]. "
                f"Received: {value!r}."
            )
        return [text.strip() for text in value if _is_stated(text)]
    what = EMPTY[expected]
    if not isinstance(value, str):
        raise UserError(f"{blame}: `{key}` must be {what}. Received: {value!r}.")
    if not _is_stated(value):
        return None
    if what == "yes or no":
        if value.lower() not in TRUTH:
            raise UserError(f"{blame}: `{key}` must be yes or no. Received: {value!r}.")
        return TRUTH[value.lower()]
    if not _has_form(value.strip(), expected):
        raise UserError(f"{blame}: `{key}` must be {what}. Received: {value!r}.")
    return _number(key, value, blame) if what == "a number" else value.strip()


def _is_stated(text: str) -> bool:
    return text.strip() not in EMPTY and not UNFINISHED.match(text.strip())


def _has_form(text: str, expected: str) -> bool:
    """Return whether a text is a day or an address, where the template has one."""
    if expected == ADDRESS:
        return re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://\S+", text) is not None
    if expected != DAY:
        return True
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _number(key: str, value: str, blame: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 < number < float("inf"):
        raise UserError(f"{blame}: `{key}` must be a positive number. Received: {value!r}.")
    return number
