"""Serve an exported model over TensorFlow Serving's REST API, and a client for such servers."""
