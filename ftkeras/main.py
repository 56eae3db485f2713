"""`python -m ftkeras.main [verb] --flag=value …`: one verb, one configuration."""

import importlib
import os
import sys

from ftkeras import flags, quiet
from ftkeras.errors import UserError


def main(arguments: list[str]) -> int:
    """Runs one verb and returns the exit code: 0, 2 for a user's error, 130 for Ctrl-C."""
    debug = "--debug" in arguments
    try:
        command = flags.parse(arguments)
        if command.help:
            print(command.help)
            return 0
        if not debug:
            quiet.import_tensorflow()
        importlib.import_module(f"ftkeras.{command.verb}").run(command.config)
    except UserError as error:
        if debug:
            raise
        print(f"ftkeras: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        print(f"\nftkeras: stopped. {interrupt}".rstrip(), file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); nothing is left to say, or to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


def cli() -> None:
    """The console command `ftkeras`."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    cli()
