"""An exported model behind the REST API of TensorFlow Serving."""
