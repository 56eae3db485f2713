"""What sits on the encoder, one a file.

A head is called with the encoder's features (`sequence` [batch, length, hidden] and, where it asks
for it by `needs_pooler`, `pooled` [batch, hidden]) and the padding mask [batch, length]; it gives
logits. What it must know (`classes`, `seed`) is handed in; its own keys come from the spec.
"""
