"""Fine-tune BERT-family encoders with TensorFlow and Keras 3, and serve the result."""

__version__ = "0.1.0"
