"""Trained models that answer the texts of a run, which learns from their answers."""
