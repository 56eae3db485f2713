"""What is minimised, one a file.

A loss is a `keras.losses.Loss` on logits: integer labels [batch] and logits [batch, classes] give
one figure an example, [batch], which Keras averages over the examples. Keys come from the spec.
"""
