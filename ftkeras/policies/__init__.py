"""Which variables train, how fast, and when, one a file.

A policy is made from its spec's keys (and `seed`, if it asks for it) and may have:
    decides: what it settles for the whole run; two policies that settle the same are refused.
    prepare(model): once, after the checkpoint is loaded and before compiling: freezes, starts
        anew, adds low-rank parts. A ValueError says what the model has not got.
    check(model): once, when all policies have prepared: a ValueError says that the others leave
        this one nothing to act on.
    multipliers(model): [(regular expression on variable paths, factor on the rate), …], the first
        match wins; the factor scales a variable's update and its decay.
    callbacks(model): Keras callbacks for what changes while training.
    finish(model): once, with the best epoch's weights: folds what was added into the model's own
        variables, so that what is evaluated, kept and exported is a plain encoder and head.
`_base.Policy` has all of them, doing nothing.
"""

from ftkeras.policies._base import Policy, check_together

__all__ = ["Policy", "check_together"]
