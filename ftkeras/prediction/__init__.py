"""Predict with an exported model: read texts from any format, and write the answers."""
