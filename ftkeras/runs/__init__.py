"""The folders of runs and cross-validations: what is in them, and reading and writing it."""
