"""What to learn: a source, the head it takes, and the labels.

A task takes `data_dir` (--data_dir) and its own keys. It has `head` (spec of its default head),
`labels` (names, in the order of their ids), `pairs` (whether examples carry a second text),
`homepage`, `citation`, and `splits()`: "train", "test" and, where the data has its own,
"validation", each a finite `tf.data.Dataset` of {"text": string (), "label": int64 ()} (and
"pair": string ()), in an order that never changes. It may have `license`, of its data; and where
its files have named columns `column(split, name)`, the values of one, in that order.
"""
