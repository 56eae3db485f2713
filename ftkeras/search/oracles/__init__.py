"""Oracles: which settings a search tries next. Each is one of KerasTuner's, told what it lacks.

An oracle is made with `objective` (a KerasTuner objective), `hyperparameters` (the space), `seed`
and, where the resource is epochs, `max_epochs`. It has nothing to save: what it was asked and told
is kept by the search's ledger, and told again to a new one.
"""
