"""Losses: what training minimizes, one in each file.

A loss is a `keras.losses.Loss`. From integer labels [batch] and logits [batch, classes] its `call`
computes one number for each example, [batch]; Keras averages over the examples. Its arguments come
from the spec.
"""
