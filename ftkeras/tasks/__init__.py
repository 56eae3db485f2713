"""Tasks: what to learn from which data, one task per file.

A task is built from `data_dir` and the keys of its own spec. It inherits from
`ftkeras.data.task.Task`, which describes what it must provide.
"""
