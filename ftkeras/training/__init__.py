"""The model that `fit` trains, what goes on around its steps, and how its weights are kept."""
