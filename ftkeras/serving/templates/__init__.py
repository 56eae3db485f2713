"""Templates of the files that `deploy` writes; `$name` is replaced by its value."""
