"""Encoders: token ids in, hidden states out. One family a file; Keras ops only."""
