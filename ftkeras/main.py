"""`python -m ftkeras.main [verb] --flag=value …`: one verb, one configuration."""

import importlib
import os
import signal
import sys

from ftkeras.cli import flags, output, quiet
from ftkeras.errors import Stopped, UserError
from ftkeras.processes import child


def main(arguments: list[str]) -> int:
    """Runs one verb and returns the exit code.

    0 for success, 2 for what the user can mend, 130 for Ctrl-C, 143 for SIGTERM in training, 141
    where the reader of standard output has gone.
    """
    child.end_with_parent()
    try:
        return _run(arguments)
    except Exception as error:
        child.report(f"{type(error).__name__}: {error}")
        raise


def _run(arguments: list[str]) -> int:
    debug = any(argument.startswith("--debug") for argument in arguments)
    # A label or text that the terminal's encoding has not is shown escaped, and no crash.
    sys.stdout.reconfigure(errors="backslashreplace")
    output.show_messages()
    try:
        command = flags.parse(arguments)
        if command.help:
            print(command.help)
            return 0
        debug = command.config.debug
        if not debug and command.verb != "launch":
            quiet.import_tensorflow()
        importlib.import_module(f"ftkeras.verbs.{command.verb}").run(command.config)
    except UserError as error:
        if debug:
            raise
        _fail("ftkeras: ", output.as_flags(str(error)))
        return error.exit_code
    except Stopped as stopped:
        _fail("\nftkeras: ", f"stopped. {output.as_flags(str(stopped))}")
        return 128 + stopped.signal
    except KeyboardInterrupt as interrupt:
        print(f"\nftkeras: stopped. {interrupt}".rstrip(), file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; what is left in the buffer must not be tried again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if command.verb == "train" and command.config:
            print("ftkeras: standard output was closed, so training ends.", file=sys.stderr)
        return 128 + signal.SIGPIPE
    except OSError as error:
        if debug or error.filename is None:
            raise
        _fail("ftkeras: ", f"{error.filename}: {error.strerror}")
        return 2
    return 0


def _fail(prefix: str, message: str) -> None:
    print(prefix + message, file=sys.stderr)
    child.report(message)


def cli() -> None:
    """The console command `ftkeras`."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    cli()
