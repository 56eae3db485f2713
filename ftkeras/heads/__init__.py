"""What sits on the encoder, one a file.

A head is called with the encoder's features (`first` [batch, hidden], the states of first tokens;
where it asks for them by `needs_pooler` and `needs_every_token`, `pooled` [batch, hidden] and
`sequence` [batch, length, hidden]) and the padding mask [batch, length]; it gives logits. What it
must know (`classes`, `seed`) is handed in; its own keys come from the spec.
"""
