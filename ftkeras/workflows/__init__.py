"""Complete sequences of steps that several verbs share, such as a training run."""
