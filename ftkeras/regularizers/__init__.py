"""What is added to the training loss, or disturbs the network in training, one a file.

A regularizer is made from its spec's keys (and `seed`, if it asks for it) and may have:
    attach(model): once, before training: finds its variables, keeps the pretrained values, sets
        the encoder's hooks. A ValueError says what the model has not got.
    __call__(step): the term that the loss of this step gets, a float32 scalar (), from
        `_base.Step`: the model, the batch, its logits and labels, further passes through the
        network. Validation and test losses have no such term.
    replaces_loss: true where the term stands in for the task's loss of the step.
`_base.Regularizer` has all of it, doing nothing.

One that draws has a stream of its own, from the run's seed; replicas draw the same numbers.
"""

from ftkeras.regularizers._base import Regularizer, Step

__all__ = ["Regularizer", "Step"]
