"""`python -m ftkeras` is `python -m ftkeras.main`."""

from ftkeras.main import cli

cli()
