"""Strings to token ids, in the graph that trains and serves."""
