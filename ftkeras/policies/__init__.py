"""Policies: which variables train, how fast and when, one in each file.

A policy is a subclass of `Policy`, built from its spec's arguments and, if it takes one, the run's
`seed`. Of a policy's methods the run calls, in this order: `prepare` of all policies, `check` of
all, `multipliers` when the optimizer is built, `callbacks` when training starts, and `finish` when
training has ended. Policies change what an encoder computes only through its hooks
(`ftkeras.support.layer_hooks`).
"""

from ftkeras.policies._base import Policy, check_together

__all__ = ["Policy", "check_together"]
