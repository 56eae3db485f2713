"""Read the pickle of a PyTorch state dict without unpickling it.

A pickle is a program. `pickle.Unpickler` with an allow-list in `find_class` would run it in C: its
memo grows to any index that the program names, dictionary keys may be tuples nested deeply enough
to overflow the stack when they are hashed, and BUILD sets attributes of real objects. This module
interprets the opcodes that `torch.save` writes instead. A value is a number, a string, a tuple, a
list, a dictionary with string keys, or a record of this module. Names are compared with an
allow-list and never imported; nothing that a pickle names is called. The length of the pickle and
its number of opcodes are bounded.
"""

import io
import pickletools
from collections.abc import Callable
from typing import Any

from ftkeras.checkpoints.formats.base import shown
from ftkeras.checkpoints.formats.torch_tensors import (
    CALLS,
    Name,
    is_known,
    kind,
    refuse,
    to_storage,
)

# The state dict of a model with 10,000 tensors has about 2 MiB and 300,000 opcodes.
LONGEST_PICKLE = 16 << 20
MOST_OPCODES = 1_000_000


def read_pickle(stream: io.BytesIO) -> Any:
    """Return the value of the next pickle of a stream, and leave the stream behind it.

    Args:
        stream: at most `LONGEST_PICKLE` bytes.

    Raises:
        RefusedError: the pickle does what that of a plain state dict does not.
        ValueError: it is malformed.

    >>> import pickle
    >>> read_pickle(io.BytesIO(pickle.dumps({"a": [1, None]})))
    {'a': [1, None]}
    """
    machine = _Machine()
    try:
        for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if opcode.name == "STOP":
                return machine.pop()
            step = STEPS.get(opcode.name)
            if step is None:
                refuse(f"its pickle uses the opcode {opcode.name}")
            if number >= MOST_OPCODES:
                refuse(f"its pickle has more than {MOST_OPCODES:,} opcodes")
            step(machine, argument)
    except OverflowError as error:  # of an argument's length
        raise ValueError(str(error)) from None
    raise AssertionError("pickletools stops at STOP or raises a ValueError")


class _Machine:
    """The stack, the marks and the memo of a pickle's program."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def top(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise ValueError("its pickle takes a value from an empty stack")
        return self.stack[-1]

    def pop(self) -> Any:
        self.top()
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        if not self.marks:
            raise ValueError("its pickle has no mark")
        mark = self.marks.pop()
        values = self.stack[mark:]
        del self.stack[mark:]
        return values


def _push(machine: _Machine, argument: Any) -> None:
    machine.stack.append(argument)


def _new(make: Callable[[], Any]) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.stack.append(make())


def _short_tuple(length: int) -> Callable[[_Machine, Any], None]:
    def step(machine: _Machine, _: Any) -> None:
        values = [machine.pop() for _ in range(length)]
        machine.stack.append(tuple(reversed(values)))

    return step


def _append(machine: _Machine, values: list[Any]) -> None:
    target = machine.top()
    if not isinstance(target, list):
        refuse(f"its pickle appends to {kind(target)}")
    target.extend(values)


def _set_items(machine: _Machine, values: list[Any]) -> None:
    target = machine.top()
    if not isinstance(target, dict) or len(values) % 2:
        refuse(f"its pickle sets items of {kind(target)}")
    for key, value in zip(values[::2], values[1::2], strict=True):
        if not isinstance(key, str):
            refuse(f"it has {kind(key)} as a key, where names are expected")
        target[key] = value


def _set_item(machine: _Machine, _: Any) -> None:
    value, key = machine.pop(), machine.pop()
    _set_items(machine, [key, value])


def _put(machine: _Machine, index: Any) -> None:
    machine.memo[index] = machine.top()


def _memoize(machine: _Machine, _: Any) -> None:
    machine.memo[len(machine.memo)] = machine.top()


def _get(machine: _Machine, index: Any) -> None:
    if index not in machine.memo:
        raise ValueError(f"its pickle's memo has no entry {index}")
    machine.stack.append(machine.memo[index])


def _global(machine: _Machine, argument: str) -> None:
    # pickletools joins the module and the attribute with a space.
    _push_name(machine, *argument.split(" ", 1))


def _stack_global(machine: _Machine, _: Any) -> None:
    attribute, module = machine.pop(), machine.pop()
    if not isinstance(module, str) or not isinstance(attribute, str):
        refuse(f"its pickle names an attribute by {kind(module)} and {kind(attribute)}")
    _push_name(machine, module, attribute)


def _push_name(machine: _Machine, module: str, attribute: str) -> None:
    name = f"{module}.{attribute}"
    if not is_known(name):
        refuse(f"its pickle needs {shown(name)}")
    machine.stack.append(Name(name))


def _reduce(machine: _Machine, _: Any) -> None:
    arguments, function = machine.pop(), machine.pop()
    if not isinstance(function, Name) or function.text not in CALLS:
        refuse(f"its pickle calls {kind(function)}")
    call, fewest, most = CALLS[function.text]
    if not isinstance(arguments, tuple) or not fewest <= len(arguments) <= most:
        refuse(f"its pickle calls {function.text} with other arguments than PyTorch does")
    machine.stack.append(call(*arguments))


def _build(machine: _Machine, _: Any) -> None:
    state, target = machine.pop(), machine.top()
    # The state dict of a module has its version numbers as an attribute.
    if not isinstance(target, dict) or not isinstance(state, dict) or list(state) != ["_metadata"]:
        names = ", ".join(map(shown, list(state)[:3])) if isinstance(state, dict) else kind(state)
        refuse(f"its pickle sets the state of {kind(target)} ({names})")


def _persistent(machine: _Machine, _: Any) -> None:
    machine.stack.append(to_storage(machine.pop()))


STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME"), lambda machine, _: None),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"), _push),
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE"), _push),
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), _push),  # of Python 2
    "NONE": _new(lambda: None),
    "NEWTRUE": _new(lambda: True),
    "NEWFALSE": _new(lambda: False),
    "EMPTY_DICT": _new(dict),
    "EMPTY_LIST": _new(list),
    "EMPTY_TUPLE": _new(tuple),
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.pop_to_mark())),
    "TUPLE1": _short_tuple(1),
    "TUPLE2": _short_tuple(2),
    "TUPLE3": _short_tuple(3),
    "APPEND": lambda machine, _: _append(machine, [machine.pop()]),
    "APPENDS": lambda machine, _: _append(machine, machine.pop_to_mark()),
    "SETITEM": _set_item,
    "SETITEMS": lambda machine, _: _set_items(machine, machine.pop_to_mark()),
    "BINPUT": _put,
    "LONG_BINPUT": _put,
    "MEMOIZE": _memoize,
    "BINGET": _get,
    "LONG_BINGET": _get,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "BUILD": _build,
    "BINPERSID": _persistent,
}
