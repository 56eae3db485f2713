"""Break chosen lines one at a time and list the breaks that no test notices.

    python -m tests.tools.mutate [--only=TEXT] [--list] [--unchecked]

Each mutant is a file, a piece of its text that is there once, what to write instead, and the tests
that should fail then. The files are changed in a temporary copy of the checkout, never in place.
Only what `make test` runs is run. The exit code is 1 if a mutant survives or can't be made.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from tests.tools.mutants import MUTANTS, Mutant

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = "output.txt"
SECONDS = 900  # after that a mutant counts as noticed: its tests hang


def main(arguments: list[str]) -> int:
    """Try the mutants whose file, text or tests contain `--only`; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="try only mutants that contain this text")
    parser.add_argument("--list", action="store_true", help="check that the texts are there")
    parser.add_argument("--unchecked", action="store_true", help="do not run unchanged code first")
    options = parser.parse_args(arguments)
    chosen = [mutant for mutant in MUTANTS if options.only in str(mutant)]
    misplaced = [mutant for mutant in chosen if _count(mutant) != 1]
    for mutant in misplaced:
        print(f"NOT MADE  {mutant}: its text is there {_count(mutant)} times")
    if options.list or misplaced:
        return bool(misplaced)
    with tempfile.TemporaryDirectory(prefix="ftkeras-mutants-") as folder:
        return _try(chosen, pathlib.Path(folder), checked=not options.unchecked)


def _count(mutant: Mutant) -> int:
    return (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old)


def _try(mutants: list[Mutant], tree: pathlib.Path, *, checked: bool) -> int:
    _copy(tree)
    _preload()
    targets = list(dict.fromkeys(mutant.tests for mutant in mutants)) if checked else []
    survivors, failing = [], [tests for tests in targets if _run(tests, tree)]
    for tests in failing:
        print(f"FAILS UNCHANGED  {' '.join(tests)}", flush=True)
    for mutant in mutants:
        if mutant.tests in failing:
            continue
        path, began = tree / mutant.file, time.monotonic()
        original = path.read_text(encoding="utf-8")
        path.write_text(original.replace(mutant.old, mutant.new), encoding="utf-8")
        code = _run(mutant.tests, tree)
        path.write_text(original, encoding="utf-8")
        verdict = "noticed " if code else "SURVIVED"
        print(f"{verdict}  {time.monotonic() - began:5.0f} s  {mutant}", flush=True)
        if code:
            output = (tree / OUTPUT).read_text(encoding="utf-8", errors="replace")
            print(f"{'':20}{_first_failure(output)}", flush=True)
        survivors += [] if code else [mutant]
    print(f"{len(survivors)} of {len(mutants)} survived")
    return bool(survivors or failing)


def _first_failure(output: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR", "E  "))]
    return " ".join(lines[-1].split())[:150] if lines else "it hangs or crashes"


def _copy(tree: pathlib.Path) -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)


def _preload() -> None:
    """Import what takes long, once, for all the processes that are forked from this one."""
    import keras  # noqa: F401
    import scipy.stats  # noqa: F401
    import sklearn.metrics  # noqa: F401
    import tensorflow_text  # noqa: F401
    import transformers  # noqa: F401


def _run(tests: tuple[str, ...], tree: pathlib.Path) -> int:
    """Run these tests in a process of their own; 0 if all of them pass."""
    child = os.fork()
    if not child:
        os._exit(_run_here(tests, tree))
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.1)
    os.killpg(child, 9)
    os.waitpid(child, 0)
    return 1


def _run_here(tests: tuple[str, ...], tree: pathlib.Path) -> int:
    os.setpgid(0, 0)
    os.chdir(tree)
    output = os.open(tree / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.dont_write_bytecode = True  # a file that is changed twice in a second has one time stamp
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    # This checkout's own modules, imported to get here, must not stand in for the copy's.
    for name in [name for name in sys.modules if name.split(".")[0] in ("ftkeras", "tests")]:
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if path not in ("", str(ROOT))]
    import pytest

    return int(pytest.main(["-x", "-rfE", "-p", "no:cacheprovider", *tests]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
