"""What to learn: a source, the head it takes, and the labels.

A task has `head` (spec of its default head), `labels` (names, in the order of their ids), `pairs`
(whether examples carry a second text), `homepage`, `citation`, and `splits(data_dir)`: "train",
"test" and, where the data has its own, "validation", each a finite `tf.data.Dataset` of
{"text": string (), "label": int64 ()} (and "pair": string ()), in an order that never changes.
"""
