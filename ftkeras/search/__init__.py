"""Hyperparameter search: the space, the trials and their ledger, and the table, page and plots."""
