"""The verbs of the command line, one per module; each has `run(config)`."""
