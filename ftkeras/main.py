"""The command line: `python -m ftkeras.main [VERB] --flag=value …` runs one verb."""

import importlib
import io
import os
import signal
import sys

from ftkeras.cli import existing, flags, output, parts, quiet
from ftkeras.cli.commands import VERBS
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
    debug = any(argument.startswith("--debug") for argument in arguments)
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
        parts.check(command.config)
        existing.check(verb, command.config)
        if not debug and VERBS[verb].needs_tensorflow:
            quiet.import_tensorflow()
        importlib.import_module(f"ftkeras.verbs.{verb}").run(command.config)
    except UserError as error:
        if debug:
            raise
        _fail("ftkeras: ", output.error_line(error))
        return error.exit_code
    except Stopped as stopped:
        _fail("\nftkeras: ", f"stopped. {output.error_line(stopped)}")
        return 128 + stopped.signal
    except KeyboardInterrupt as interrupt:
        print(f"\nftkeras: stopped. {output.as_flags(str(interrupt))}".rstrip(), file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        _close_output()
        if verb == "train":
            print("ftkeras: standard output was closed, so training ends.", file=sys.stderr)
        return 128 + signal.SIGPIPE
    except OSError as error:
        if debug or error.filename is None:
            raise
        _fail("ftkeras: ", f"{error.filename}: {error.strerror}")
        return 2
    return 0


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
