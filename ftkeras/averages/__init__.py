"""Averages of the weights of a run, one a file: what is measured, kept and exported with it.

An average is a callback for `fit`. What all share (the average's own variables, and when the model
holds them) is `_base.WeightAverage`; a part says when a sample is taken and how much it counts.
"""
