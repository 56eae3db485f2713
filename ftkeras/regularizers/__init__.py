"""Regularizers: terms of the training loss, or perturbations in training, one in each file.

A regularizer is a subclass of `Regularizer`, built from its spec's arguments and, if it takes one,
the run's `seed`. The run calls `attach` once, after all policies have prepared the model, and then
the regularizer itself with a `Step` in each training step. Validation and test losses have no such
terms. Regularizers change what an encoder computes only through its hooks
(`ftkeras.support.layer_hooks`).

A random regularizer has a stream of its own, from the run's seed (`_random.stream`).

>>> from ftkeras.encoders.bert import Bert
>>> from ftkeras.heads.classification import Classification
>>> from ftkeras.regularizers.l2 import L2
>>> from ftkeras.training.finetuner import FineTuner
>>> encoder = Bert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
>>> regularizer = L2(where="head/kernel")
>>> model = FineTuner(
...     encoder=encoder,
...     head=Classification(classes=2, seed=1),
...     pad_id=0,
...     regularizers=[regularizer],
... )
>>> regularizer.attach(model)
>>> [variable.path for variable in regularizer.penalized]
['fine_tuner/head/kernel']
"""

from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.support import lazy

__all__ = ["Regularizer", "Step"]

__getattr__, __dir__ = lazy.attach(__name__)
