"""Name the part to blame when building or using it fails."""

import contextlib
from collections.abc import Iterator

from ftkeras.errors import PartError


@contextlib.contextmanager
def blame(kind: str, spec: str) -> Iterator[None]:
    """Re-raise a part's ValueError as a PartError that names the argument.

    Args:
        kind: the argument that names the part, such as `policy`.
        spec: the part as the user wrote it, such as `lora(rank=8)`.
    """
    try:
        yield
    except ValueError as error:
        raise PartError(kind, spec, str(error)) from error
