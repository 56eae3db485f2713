"""Commands that are shown, so that a user can copy them."""

import shlex


def line(*words: object, **flags: object) -> str:
    """Return a command of ftkeras, with words and flags quoted for a shell.

    Args:
        words: the verb, and what follows it.
        flags: values by name; True for a flag without a value.

    >>> line("evaluate", run_dir="my runs/1", calibrate=True)
    "python -m ftkeras.main evaluate '--run_dir=my runs/1' --calibrate"
    """
    named = (f"--{name}" if value is True else f"--{name}={value}" for name, value in flags.items())
    return shlex.join(["python", "-m", "ftkeras.main", *map(str, words), *named])
