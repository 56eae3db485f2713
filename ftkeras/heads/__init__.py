"""Heads: from an encoder's features to logits, one in each file.

A head is a Keras layer that fulfils `ftkeras.support.protocols.Head`. It is called with the
encoder's features and the padding mask [batch, length]. The features are "first" [batch, hidden],
the states of first tokens; "pooled" [batch, hidden], if it sets `needs_pooler`; and "sequence"
[batch, length, hidden], if it sets `needs_every_token`. The run passes `classes` or `outputs`, and
`seed`; the
other arguments come from the spec. A head that sets `per_token` gives logits for each token.
If it also sets `needs_vocabulary`, it gives them for the tokens at "places" [slots] only, and gets
"vocabulary" [vocabulary, embedding], the encoder's token embedding.
"""

from ftkeras.support import lazy

__getattr__, __dir__ = lazy.attach(__name__)
