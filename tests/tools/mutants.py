"""The lines that `mutate` breaks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One change to one file, and the tests that should notice it."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def __str__(self):
        return f"{self.file}: {self.old.strip()!r} -> {self.new.strip()!r}"


def _of(folder: str, *rows: tuple[str, str, str, str]) -> list[Mutant]:
    """Rows of a file in ftkeras/`folder`, old text, new text, and tests in tests/`folder`."""
    return [
        Mutant(
            f"ftkeras/{folder}/{file}",
            old,
            new,
            tuple(f"tests/{folder}/{name}".rstrip("/") for name in tests.split(" ")),
        )
        for file, old, new, tests in rows
    ]


MUTANTS = []
