"""Parse the lines of a search into a space, and reject what can't be searched."""

import dataclasses
import re
from collections.abc import Mapping, Sequence

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.search import range_parser
from ftkeras.search.ranges import Node
from ftkeras.search.space import Space

# An interrupted run may change these, but they affect the score, so they can be searched.
SEARCHABLE = ("epochs", "early_stopping")
# These must be the same in all trials, or their scores could not be compared.
FIXED = {
    **dict.fromkeys(
        (
            *("task", "data_dir", "data_seed", "validation_share", "validation_examples"),
            *("train_examples", "folds", "fold", "fold_repeat", "group_by", "train_on_validation"),
        ),
        "scores on other validation examples can't be compared",
    ),
    "test_examples": "a search never reads test",
    "objective": "the trials are compared by it",
    "seed": "`executions_per_trial` tries several",
}


def parse(lines: Sequence[str], base: Config) -> Space:
    """Return the space that the lines describe.

    Args:
        lines: each `flag=range`, or `flag.key=range` for a key in the flag's spec.
        base: the configuration that gives everything else.

    Raises:
        UserError: a line is invalid; the message names it.
    """
    trees: dict[str, Node] = {}
    for line in lines:
        name, equals, text = (part.strip() for part in line.partition("="))
        try:
            if not equals or not text:
                raise ValueError("must read flag=range, such as 'learning_rate=log(1e-5, 1e-4)'")
            _check_searchable(name, trees, base)
            trees[name] = range_parser.parse(name, text)
        except ValueError as error:
            raise UserError(f"search={line!r}: {error}.") from None
    if not trees:
        raise UserError(
            "`search` must name something to vary, such as search='learning_rate=log(1e-5, 1e-4)'."
        )
    return Space(base, trees)


def _check_searchable(name: str, others: Mapping[str, Node], base: Config) -> None:
    flag, dot, key = name.partition(".")
    fields = {field.name: field for field in dataclasses.fields(Config)}
    if flag not in fields:
        raise ValueError(f"there is no argument {flag!r}")
    if dot and (not re.fullmatch(r"\w+", key) or flag not in catalog.KINDS):
        raise ValueError(f"`{flag}` takes no keys" if key.isidentifier() else f"{key!r} is no key")
    if fields[flag].metadata["free"] and flag not in SEARCHABLE:
        raise ValueError(f"`{flag}` does not affect a trial's score")
    if flag in FIXED:
        raise ValueError(f"`{flag}` must be the same in all trials: {FIXED[flag]}")
    if name == "few_shot" or (name == "policy" and base.few_shot is not None):
        # A trial has the defaults that `base` has filled in, not those of its own value.
        raise ValueError(
            f"`{name}` must be the same in all trials: defaults of other arguments depend on it; "
            "search its keys, or search once for each value"
        )
    if base.objective == "loss" and flag in ("loss", "class_weights"):
        raise ValueError(
            f"with objective=loss, trials with different `{flag}` can't be compared; use "
            "objective=accuracy or another metric"
        )
    _check_no_overlap(name, others)


def _check_no_overlap(name: str, others: Mapping[str, Node]) -> None:
    """Raise ValueError if the same flag or key is searched in another line."""
    flag, dot, _ = name.partition(".")
    if name in others:
        raise ValueError(f"{name} appears in two lines")
    same = [other for other in others if other.partition(".")[0] == flag]
    if overlapping := [other for other in same if not dot or other == flag]:
        raise ValueError(
            f"{overlapping[0]} is searched as well; write the range inside its choice, as in "
            f"'{flag}=choice(name(key=uniform(0.1, 0.2)))'"
        )
