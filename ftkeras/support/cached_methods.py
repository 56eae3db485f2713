"""Results of methods that are cached on the object, so that they live as long as the object."""

import functools
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Argument = TypeVar("Argument", bound=Hashable)
Result = TypeVar("Result")


def cached_method(
    function: Callable[[Any, Argument], Result],
) -> Callable[[Any, Argument], Result]:
    """Call a method of one argument once for each value of it, as `cached_property` does.

    The results are an attribute of the object. `functools.cache` would keep them, and the object,
    until the process ends.

    >>> class Squares:
    ...     @cached_method
    ...     def of(self, number):
    ...         print("computing")
    ...         return number**2
    >>> squares = Squares()
    >>> squares.of(3), squares.of(3)
    computing
    (9, 9)
    """
    attribute = f"_results_of_{function.__name__}"

    @functools.wraps(function)
    def cached(self: Any, argument: Argument) -> Result:
        results: dict[Argument, Result] = vars(self).setdefault(attribute, {})
        if argument not in results:
            results[argument] = function(self, argument)
        return results[argument]

    return cached
