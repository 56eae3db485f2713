"""Policies: which variables train, how fast and when, one in each file.

A policy is a subclass of `Policy`, built from its spec's arguments and, if it takes one, the run's
`seed`. Of a policy's methods the run calls, in this order: `prepare` of all policies, `check` of
all, `multipliers` when the optimizer is built, `callbacks` when training starts, and `finish` when
training has ended. Policies change what an encoder computes only through its hooks
(`ftkeras.support.layer_hooks`).

>>> from ftkeras.encoders.bert import Bert
>>> from ftkeras.heads.classification import Classification
>>> from ftkeras.policies.lora import LoRA
>>> from ftkeras.training.finetuner import FineTuner
>>> encoder = Bert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
>>> model = FineTuner(encoder=encoder, head=Classification(classes=2, seed=1), pad_id=0)
>>> LoRA(rank=2, targets="query", pooler=False, seed=1).prepare(model)
>>> [variable.path for variable in model.scaffold.trainable_variables][:2]
['lora/layer_0_query_a', 'lora/layer_0_query_b']
"""

from ftkeras.policies._base import Policy, check_together
from ftkeras.support import lazy

__all__ = ["Policy", "check_together"]

__getattr__, __dir__ = lazy.attach(__name__)
