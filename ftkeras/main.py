"""The command line: `python -m ftkeras.main [VERB] --flag=value …` runs one verb."""

import importlib
import io
import os
import signal
import sys
from typing import Any

from ftkeras.cli import existing, flags, output, parts, quiet
from ftkeras.cli.commands import VERBS
from ftkeras.config import flagfile
from ftkeras.errors import Stopped, UserError
from ftkeras.processes import child


def main(arguments: list[str]) -> int:
    """Run one verb.

    Args:
        arguments: the command line without the program's name.

    Returns:
        The exit code: 0 for success, 2 for what the user can fix, 130 after Ctrl-C, 141 if nobody
        reads standard output any more, 143 after SIGTERM. Some errors bring their own.
    """
    child.end_with_parent()
    try:
        return _run(arguments)
    except Exception as error:
        child.report(f"{type(error).__name__}: {error}")
        raise


def _run(arguments: list[str]) -> int:
    """Run one verb, and turn errors into a line of text and an exit code."""
    debug = any(map(_asks_for_tracebacks, arguments))
    # Show a label or text that the terminal cannot encode as an escape instead of failing.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    output.show_messages()
    verb = None
    try:
        command = flags.parse(arguments)
        verb = command.verb
        if command.help is not None:
            print(command.help, flush=True)
            return 0
        debug = command.config.debug
        _run_verb(verb, command.config)
    except (UserError, Stopped, KeyboardInterrupt, OSError) as error:
        code = _show(error, verb, debug=debug)
        if code is None:
            raise
        return code
    return 0


def _run_verb(verb: str, config: Any) -> None:
    """Check the configuration as far as is possible at once, then call the verb."""
    parts.check(config)
    existing.check(verb, config)
    if not config.debug and VERBS[verb].needs_tensorflow:
        quiet.import_tensorflow()
    importlib.import_module(f"ftkeras.verbs.{verb}").run(config)


def _show(error: BaseException, verb: str | None, *, debug: bool) -> int | None:
    """Show an error in a line, and return the exit code; None if it should have a traceback.

    Args:
        error: what ended the verb.
        verb: its name; None if the command line was not understood.
        debug: whether the user asked for tracebacks.
    """
    if isinstance(error, BrokenPipeError):
        _close_output()
        if verb == "train":
            print("ftkeras: standard output was closed, so training ends.", file=sys.stderr)
        return 128 + signal.SIGPIPE
    if isinstance(error, Stopped):
        _fail("\nftkeras: ", f"stopped. {output.error_line(error)}")
        return 128 + error.signal
    if isinstance(error, KeyboardInterrupt):
        print(f"\nftkeras: stopped. {output.as_flags(str(error))}".rstrip(), file=sys.stderr)
        return 128 + signal.SIGINT
    if isinstance(error, UserError) and not debug:
        _fail("ftkeras: ", output.error_line(error))
        return error.exit_code
    if isinstance(error, OSError) and error.strerror is not None and not debug:
        # Of a disk that is full, Python names no file; it may be that of standard output.
        of = "" if error.filename is None else f"{error.filename}: "
        _fail("ftkeras: ", f"{of}{error.strerror}")
        try:
            sys.stdout.flush()
        except OSError:
            _close_output()
        return 2
    return None


def _asks_for_tracebacks(argument: str) -> bool:
    """Return whether an argument turns `debug` on, whatever else is wrong with the others.

    >>> _asks_for_tracebacks("--debug"), _asks_for_tracebacks("--debug=false")
    (True, False)
    """
    name, _, value = argument.partition("=")
    return name == "--debug" and value.lower() not in flagfile.FALSE


def _close_output() -> None:
    """Discard what is buffered: Python would try to write it at shutdown, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(prefix: str, message: str) -> None:
    """Show why the verb fails, also to the parent if this is a child process."""
    print(prefix + message, file=sys.stderr)
    child.report(message)


def cli() -> None:
    """Run the console command `ftkeras`."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    cli()
