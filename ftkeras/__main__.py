"""Run `python -m ftkeras` like `python -m ftkeras.main`."""

from ftkeras.main import cli

cli()
