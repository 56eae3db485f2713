"""Where examples come from. A source is one split: `Source(...).read()` gives a `tf.data.Dataset`.

Elements are {"text": string (), "label": int64 ()} and, for pairs, "pair": string ().
"""
