"""The space of a search: what it varies, and the run's configuration at each of its points."""

import dataclasses
import itertools
import math
import random
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftkeras import catalog
from ftkeras.config import flagfile
from ftkeras.config.fields import AUTO
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.search import ranges
from ftkeras.search.ranges import Node, Parameter

# Up to this many corners are all checked before the first trial, otherwise a sample of them.
MAX_CORNERS = 256


@dataclass(frozen=True)
class Space:
    """The space of a search.

    Attributes:
        base: the configuration that gives everything else.
        trees: a range for each searched flag, or flag.key.
    """

    base: Config
    trees: Mapping[str, Node]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All parameters, parents before children."""
        return tuple(itertools.chain(*(ranges.parameters(tree) for tree in self.trees.values())))

    @property
    def size(self) -> float:
        """The number of different settings; infinity if an interval has no steps."""
        return math.prod(map(ranges.count, self.trees.values()))

    def settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of each searched flag at a point, of the type that Config has."""
        settings = {}
        for name, tree in self.trees.items():
            flag, _, key = name.partition(".")
            value = ranges.setting(tree, values)
            settings[flag] = (
                _with_key(settings.get(flag, getattr(self.base, flag)), flag, key, value)
                if key
                else _converted(flag, value)
            )
        return settings

    def config(self, values: Mapping[str, Any]) -> Config:
        """Return the run's configuration at a point."""
        return dataclasses.replace(self.base, **self.settings(values))

    def point(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Complete these values with the first choice or lower end of each other parameter."""
        point = {}
        for parameter in self.parameters:
            if parameter.exists(point):
                point[parameter.name] = values.get(parameter.name, parameter.ends[0])
        return point

    def corners(self) -> Iterator[dict[str, Any]]:
        """Yield the points that combine ends and choices.

        If there are more than MAX_CORNERS, yield one for each end and choice, and a random sample.
        """
        corners = list(itertools.islice(self._products({}, self.parameters), MAX_CORNERS + 1))
        if len(corners) <= MAX_CORNERS:
            yield from corners
            return
        for parameter in self.parameters:
            for end in parameter.ends:
                yield self.point({**dict(parameter.conditions), parameter.name: end})
        rng = random.Random(0)
        for _ in range(MAX_CORNERS):
            yield self.point({p.name: rng.choice(p.ends) for p in self.parameters})

    def _products(
        self, values: dict[str, Any], remaining: Sequence[Parameter]
    ) -> Iterator[dict[str, Any]]:
        if not remaining:
            yield values
        elif not remaining[0].exists(values):
            yield from self._products(values, remaining[1:])
        else:
            for end in remaining[0].ends:
                yield from self._products({**values, remaining[0].name: end}, remaining[1:])


def check_corners(space: Space, check: Callable[[Config], None]) -> None:
    """Check the configuration of every corner before the first trial.

    Args:
        space: the space.
        check: raises UserError or ValueError if a part rejects its spec.

    Raises:
        UserError: a corner is invalid.
    """
    for corner in space.corners():
        try:
            check(space.config(corner))
        except (UserError, ValueError) as error:
            values = " ".join(f"{name}={value}" for name, value in corner.items())
            raise UserError(f"`search`: at {values}: {error}") from None


def _with_key(spec: Any, flag: str, key: str, value: Any) -> Any:
    """Return a flag's value with a key of its spec set."""
    specs = spec if isinstance(spec, tuple) else (spec,)
    if len(specs) != 1 or specs[0] is None:
        given = ", ".join(filter(None, specs)) or "none"
        raise UserError(
            f"`search`: {flag}.{key} needs exactly one `{flag}` to set it in. Received: {given}."
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


def _converted(flag: str, value: Any) -> Any:
    """Convert a value to the flag's type in Config; `none` is None, or no value at all."""
    if value == AUTO and flag in flagfile.takes_auto(Config):
        return AUTO
    hint = typing.get_type_hints(Config)[flag]
    kinds = typing.get_args(hint) if typing.get_origin(hint) in flagfile.UNIONS else (hint,)
    repeatable = typing.get_origin(hint) is tuple
    if value in ("none", None) and (repeatable or type(None) in kinds):
        return () if repeatable else None
    if repeatable:
        return value if isinstance(value, tuple) else (str(value),)
    if bool in kinds and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    if int in kinds and ranges.is_number(value) and value == int(value):
        return int(value)
    if float in kinds and ranges.is_number(value):
        return float(value)
    if str in kinds and not isinstance(value, tuple | bool):
        return str(value)
    wanted = next(kind.__name__ for kind in kinds if kind is not type(None))
    raise UserError(f"`search`: `{flag}` takes {wanted}. Received: {value!r}.")
