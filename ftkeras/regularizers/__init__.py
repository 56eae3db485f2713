"""What is added to the training loss, or disturbs the network in training, one a file.

A regularizer is made from its spec's keys (and `seed`, if it asks for it) and may have:
    attach(model): once, before training: finds its variables, keeps the pretrained values, sets
        the encoder's hooks. A ValueError says what the model has not got.
    __call__(step): the term that the loss of this step gets, a float32 scalar (), from
        `_base.Step`: the model, the batch, its logits and labels, further passes through the
        network. Validation and test losses have no such term.
`_base.Regularizer` has both, doing nothing.
"""
