"""Losses: what training minimizes, one in each file.

A loss is a `keras.losses.Loss`. From the answers [batch, …] and the model's outputs [batch,
outputs] its `call` computes one number for each example, [batch]; Keras averages over the examples.
Its arguments come from the spec. A problem names the losses that fit it.
"""

from ftkeras.support import lazy

__getattr__, __dir__ = lazy.attach(__name__)
