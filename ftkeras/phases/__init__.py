"""Phases of a run beside training on its labels: a folder for each flag, a file for each way."""
