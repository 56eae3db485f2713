"""Token ids to batches.

`_store` keeps a split's token ids on disk, written once, for `_examples` to be views of; `_feed`
turns them into tf.data. How examples come together is a part, one a file: it takes `batch_size` and
its spec's keys, and gives `plan(lengths, order)`, the positions of each part of each batch;
`collate(examples, positions)`, the arrays of one part, or of several of one shape; and
`fixed_shape`, whether all are of one shape.
"""
