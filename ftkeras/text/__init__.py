"""Turn strings into token ids, with the same TensorFlow ops in training and serving."""
