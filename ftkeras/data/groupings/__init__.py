"""Which examples must stand on one side when folds are drawn, one way a file.

A way is made from its spec's keys. `groups(examples, column)` gives each example its group, int64
[examples]: examples of one group are never parted. `column(name)` gives the values of a column of
the task's own files, in the order of the examples.
"""
