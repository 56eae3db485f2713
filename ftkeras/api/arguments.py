"""Turn Python arguments into a verb's configuration."""

import dataclasses
import functools
import inspect
import numbers
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from ftkeras.config import flagfile, unknown_names
from ftkeras.config.fields import AUTO
from ftkeras.errors import UserError

Configuration = TypeVar("Configuration")
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# The arguments that take data, by their shorter names; `test` is also the flag that turns the
# evaluation on test off.
DATA = {"train": "data", "validation": "validation_data", "test": "test_data"}
# The short form of a task, whose values a task takes as they are.
OF_TASK = ("text_column", "pair_column", "label_column", "label_names")


class _DataOfTask:
    """The default of `data`: None is a slip, such as the result of `df.dropna(inplace=True)`."""

    def __repr__(self) -> str:
        return "<the data of task>"


DATA_OF_TASK: Any = _DataOfTask()
_DESCRIPTIONS = {
    bool: "True or False",
    float: "a number",
    int: "an integer",
}


def data_in_one(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let a function whose last positional argument is `data` say how texts and labels are given.

    Scikit-learn and Keras take them as two arguments, which Python would refuse without a remedy.
    """
    signature = inspect.signature(function)
    names = [p.name for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    call = f"{function.__name__}({', '.join([*names[:-1], '(texts, labels)'])})"

    @functools.wraps(function)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if len(args) > len(names):
            raise TypeError(
                f"{function.__name__}() takes texts and labels as a pair, {call}, and all other "
                "settings by name."
            )
        return function(*args, **kwargs)

    return checked


def show(function: Any, kind: type) -> None:
    """Let `help` and editors name the arguments of a function that takes those of a verb."""
    signature = inspect.signature(function)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    named = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
        for name in flagfile.value_types(kind)
        if name not in signature.parameters
    ]
    function.__signature__ = signature.replace(parameters=[*own, *named])


def expand_names(function: str, kind: type, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that are given, under the names of the configuration's fields.

    Args:
        function: the function that the user called, for messages.
        kind: the configuration's class.
        arguments: by name; None stands for the default.

    Raises:
        TypeError: if there is no such argument, naming the nearest one, or it is given twice.
    """
    fields, given = flagfile.value_types(kind), {}
    for name, value in arguments.items():
        if value is None:
            continue
        is_shorter = name in DATA and "data" in fields and not isinstance(value, bool)
        field = DATA[name] if is_shorter else name
        if field not in fields:
            known = [*fields, *(DATA if "data" in fields else ())]
            raise TypeError(
                f"{function}() has no argument {name!r}{unknown_names.advice(name, known)}"
            )
        if field in given:
            raise TypeError(f"{function}() takes `{name}` or `{field}`, not both.")
        given[field] = value
    return given


def with_data(data: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a function that trains: its settings, and the data if given.

    Args:
        data: the argument `data`; `DATA_OF_TASK` if it is omitted.
        settings: the other arguments.

    Raises:
        UserError: if the data is None, under either name.
    """
    for name, value in (("data", data), ("train", settings.get("train", DATA_OF_TASK))):
        if value is None:
            raise UserError(
                f"`{name}` must be files or examples. Received: None, which pandas returns with "
                f"inplace=True. Without `{name}`, the data of `task` is used."
            )
    return dict(settings) if data is DATA_OF_TASK else {"data": data, **settings}


def callbacks(given: Any) -> tuple[Any, ...]:
    """Return Keras callbacks as a tuple; a single one needs no list, as in `fit`.

    Raises:
        UserError: if one is something else, such as a class.
    """
    import keras

    several = () if given is None else given if isinstance(given, Iterable) else (given,)
    found = tuple(several)
    for one in found:
        if not isinstance(one, keras.callbacks.Callback):
            raise UserError(
                "`callbacks` must be instances of keras.callbacks.Callback, such as "
                f"EarlyStopping(). Received: {one!r:.60}."
            )
    return found


def configuration(kind: type[Configuration], given: Mapping[str, Any]) -> Configuration:
    """Return the configuration with these values.

    Args:
        kind: its class.
        given: values by field, as Python users write them: numbers, paths, lists.

    Raises:
        UserError: naming the argument, if a value has another type or is out of bounds.
    """
    return kind(**values(kind, given))


def values(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as the fields of a configuration have them; see `configuration`."""
    types, auto = flagfile.value_types(kind), flagfile.takes_auto(kind)
    return {
        name: _task_value(name, value)
        if name in OF_TASK
        else _value(name, value, types[name], takes_auto=name in auto)
        for name, value in ((name, _listed(value)) for name, value in given.items())
    }


def recorded(config: Any) -> dict[str, Any]:
    """Return the values of a configuration by field."""
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}


def _listed(value: Any) -> Any:
    """Return an array, or a column or the columns of a DataFrame, as a list."""
    return value.tolist() if getattr(value, "ndim", 0) == 1 else value


def _task_value(name: str, value: Any) -> Any:
    """Return columns or names of labels as a task takes them."""
    if isinstance(value, Mapping):
        return {str(label): str(shown) for label, shown in value.items()}
    if name == "label_column" and isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(str, value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(map(str, value))
    return str(value)


def _value(name: str, value: Any, kind: type, *, takes_auto: bool) -> Any:
    if takes_auto and value == AUTO:
        return AUTO
    if kind is tuple:
        return _texts(name, value)
    if kind is str:
        return _text(name, value)
    is_boolean = type(value).__name__ in ("bool", "bool_")  # of Python or NumPy
    if kind is bool and is_boolean:
        return bool(value)
    if kind is float and isinstance(value, numbers.Real) and not is_boolean:
        return float(value)
    if kind is int and isinstance(value, numbers.Integral) and not is_boolean:
        return int(value)
    or_auto = " or auto" if takes_auto else ""
    raise UserError(f"`{name}` must be {_DESCRIPTIONS[kind]}{or_auto}. Received: {value!r}.")


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):  # such as search={"learning_rate": "log(1e-5, 1e-4)"}
        return tuple(f"{key}={text}" for key, text in value.items())
    if isinstance(value, str | os.PathLike):
        return (_text(name, value),)
    if isinstance(value, Sequence):
        return tuple(_text(name, one) for one in value)
    raise UserError(
        f"`{name}` must be a string or a list of strings, written as for the flag. "
        f"Received: {value!r}."
    )


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, bool | numbers.Real):
        return flagfile.written(value)
    if isinstance(value, Mapping):  # such as class_weights={"pos": 2.0}
        return str(dict(value))
    raise UserError(f"`{name}` must be a string, written as for the flag. Received: {value!r}.")
