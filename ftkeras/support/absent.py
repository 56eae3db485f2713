"""Logits of what is not there: padding, or options that a question lacks."""

# Its probability is 0 in every precision.
ABSENT_LOGIT = -1e4
# Logits of what is there are above it.
LEAST_LOGIT = -5e3
