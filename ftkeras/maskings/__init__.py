"""Maskings: which tokens of a text a model has to predict, one in each file.

A masking is built from the keys of its spec. Call it with the tokens of one text and a generator of
random numbers. It depends on nothing else, so that an interrupted run repeats it exactly.

>>> import numpy as np
>>> from ftkeras.maskings.tokens import Tokens
>>> masked = Tokens(rate=0.5)(np.array([True, True, False, True]), np.random.default_rng(0))
>>> masked.places.tolist()
[0, 2]
"""

from ftkeras.maskings._base import KEPT, MASKED, RANDOM, Chosen, Masking
from ftkeras.support import lazy

__all__ = ["KEPT", "MASKED", "RANDOM", "Chosen", "Masking"]

__getattr__, __dir__ = lazy.attach(__name__)
