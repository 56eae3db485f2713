"""Keeps TensorFlow's start-up chatter out of the way."""

import os
import sys
import tempfile


def import_tensorflow() -> None:
    """Imports TensorFlow with its messages held back; they are shown only where it fails.

    Its library writes before any log level is heeded, straight to the process's standard error, so
    that is turned elsewhere for the while.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    sys.stderr.flush()
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except BaseException:
            held.seek(0)
            os.write(standard_error, held.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
