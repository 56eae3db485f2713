"""The space of a search: which flags it varies, between what, and the run of each point of it."""

import dataclasses
import itertools
import random
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.search import ranges
from ftkeras.search.ranges import Node, Parameter

# Free for a stopped run to change, and still what decides how it ends.
DECIDE = ("epochs", "early_stopping")
# What must be one and the same in all trials, or their scores could not be compared.
ONE_FOR_ALL = {
    **dict.fromkeys(
        (
            *("task", "data_dir", "data_seed", "validation_share", "validation_examples"),
            *("train_examples", "folds", "fold", "fold_repeat", "group_by", "train_on_validation"),
        ),
        "other validation examples would give scores that can't be compared",
    ),
    "test_examples": "a search never reads test",
    "objective": "it is what the trials are compared by",
    "seed": "--executions_per_trial tries several",
}
# More points than these are not tried one by one before the first trial.
MOST_CORNERS = 256


@dataclass(frozen=True)
class Space:
    """What a search varies, and the configuration that all else comes from."""

    base: Config
    trees: Mapping[str, Node]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All there are, parents before children."""
        return tuple(itertools.chain(*(ranges.parameters(tree) for tree in self.trees.values())))

    def settings(self, values: Mapping[str, object]) -> dict[str, object]:
        """What a point of the space says of each flag that is searched, as Config has it."""
        settings = {}
        for name, tree in self.trees.items():
            flag, _, key = name.partition(".")
            value = ranges.filled(tree, values)
            settings[flag] = (
                _with_key(settings.get(flag, getattr(self.base, flag)), flag, key, value)
                if key
                else _converted(flag, value)
            )
        return settings

    def config(self, values: Mapping[str, object]) -> Config:
        """The run at a point of the space."""
        return dataclasses.replace(self.base, **self.settings(values))

    def point(self, values: Mapping[str, object]) -> dict[str, object]:
        """These values, and for what else exists beside them its first choice or lower end."""
        point = {}
        for parameter in self.parameters:
            if parameter.exists(point):
                point[parameter.name] = values.get(parameter.name, parameter.ends[0])
        return point

    def corners(self) -> Iterator[dict[str, object]]:
        """The points between ends and choices: all, or where these are many each end and some."""
        corners = list(itertools.islice(self._products({}, self.parameters), MOST_CORNERS + 1))
        if len(corners) <= MOST_CORNERS:
            yield from corners
            return
        for parameter in self.parameters:
            for end in parameter.ends:
                yield self.point({**dict(parameter.conditions), parameter.name: end})
        rng = random.Random(0)
        for _ in range(MOST_CORNERS):
            yield self.point({p.name: rng.choice(p.ends) for p in self.parameters})

    def _products(self, values: dict, left: Sequence[Parameter]) -> Iterator[dict[str, object]]:
        if not left:
            yield values
        elif not left[0].exists(values):
            yield from self._products(values, left[1:])
        else:
            for end in left[0].ends:
                yield from self._products({**values, left[0].name: end}, left[1:])


def read(lines: Sequence[str], base: Config) -> Space:
    """The space that `--search` lines say.

    Args:
        lines: each `flag=range`, or `flag.key=range` for a key inside the flag's spec.
        base: says all that the lines don't.

    Raises:
        UserError: naming the line, and what is wrong with it.
    """
    trees: dict[str, Node] = {}
    for line in lines:
        name, is_there, text = (part.strip() for part in line.partition("="))
        try:
            if not is_there or not text:
                raise ValueError("must read flag=range, such as learning_rate=log(1e-5, 1e-4)")
            _must_be_searchable(name, trees, base)
            trees[name] = ranges.read(name, text)
        except ValueError as error:
            raise UserError(f"search={line!r}: {error}.") from None
    if not trees:
        raise UserError(
            "`search` names nothing to vary; such as search='learning_rate=log(1e-5, 1e-4)'."
        )
    return Space(base, trees)


def check(space: Space, refuse) -> None:
    """Makes the configuration of every corner, before the first trial.

    Args:
        space: is read.
        refuse: config -> None, or a UserError where a part refuses its spec.
    """
    for corner in space.corners():
        try:
            refuse(space.config(corner))
        except (UserError, ValueError) as error:
            said = " ".join(f"{name}={value}" for name, value in corner.items())
            raise UserError(f"`search`: at {said}: {error}") from None


def _must_be_searchable(name: str, others: Mapping[str, Node], base: Config) -> None:
    flag, dot, key = name.partition(".")
    fields = {field.name: field for field in dataclasses.fields(Config)}
    if flag not in fields:
        raise ValueError(f"there is no flag --{flag}")
    if dot and (not re.fullmatch(r"\w+", key) or flag not in catalog.KINDS):
        raise ValueError(f"--{flag} takes no keys" if key.isidentifier() else f"{key!r} is no key")
    if fields[flag].metadata["free"] and flag not in DECIDE:
        raise ValueError(f"--{flag} decides nothing that a search could measure")
    if flag in ONE_FOR_ALL:
        raise ValueError(f"--{flag} must be the same in all trials: {ONE_FOR_ALL[flag]}")
    if base.objective == "loss" and flag in ("loss", "class_weights"):
        raise ValueError(
            f"with --objective=loss, trials of another --{flag} can't be compared; "
            "--objective=accuracy can"
        )
    if name in others:
        raise ValueError(f"{name} stands in two lines")
    same = [other for other in others if other.partition(".")[0] == flag]
    if clash := [other for other in same if not dot or other == flag]:
        raise ValueError(
            f"{clash[0]} is searched as well; write the range inside its choice, as in "
            f"{flag}=choice(name(key=uniform(0.1, 0.2)))"
        )


def _with_key(spec, flag: str, key: str, value: object):
    """A flag's value with another value for a key of its spec."""
    specs = spec if isinstance(spec, tuple) else (spec,)
    if len(specs) != 1 or specs[0] is None:
        given = ", ".join(filter(None, specs)) or "none"
        raise UserError(
            f"`search`: {flag}.{key} needs one `{flag}` to set it in. Received: {given}."
        )
    try:
        parsed = catalog.parse(flag, specs[0])
    except UserError:
        raise UserError(
            f"`search`: {flag}.{key} needs a spec to set it in, such as "
            f"{flag}=\"bert(checkpoint='…')\". Received: {specs[0]!r}."
        ) from None
    text = ranges.spec_text(parsed.name, {**parsed.arguments, key: value})
    return (text,) if isinstance(spec, tuple) else text


def _converted(flag: str, value: object) -> object:
    """A value as Config has it: of the flag's type; `none` for what may be left out."""
    kind = typing.get_type_hints(Config)[flag]
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    repeatable = typing.get_origin(kind) is tuple
    if value in ("none", None) and (repeatable or type(None) in kinds):
        return () if repeatable else None
    if repeatable:
        return value if isinstance(value, tuple) else (str(value),)
    if bool in kinds and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if int in kinds and is_number and value == int(value):
        return int(value)
    if float in kinds and is_number:
        return float(value)
    if str in kinds and not isinstance(value, tuple | bool):
        return str(value)
    wanted = next(k.__name__ for k in kinds if k is not type(None))
    raise UserError(f"`search`: `{flag}` takes {wanted}. Received: {value!r}.")
