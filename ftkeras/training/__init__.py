"""Training: the model that `fit` trains, the callbacks around its steps, and its weights file."""
