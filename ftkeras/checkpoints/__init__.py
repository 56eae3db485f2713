"""Files of weights: Hugging Face folders, and the training states of runs."""
