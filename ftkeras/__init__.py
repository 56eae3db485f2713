"""Fine-tune BERT-family encoders on TensorFlow and Keras 3, and serve what comes out."""

__version__ = "0.1.0"
