"""How gradients become updates, one a file.

An optimizer takes `learning_rate` (a schedule), `clip_norm` and its own keys from the spec. What
all share (one true global clip, decay of variables chosen by path) is `_base.FineTuningOptimizer`.
"""
