"""Fine-tune BERT-family encoders on TensorFlow and Keras 3, and serve what comes out."""

import os
import platform

__version__ = "0.1.0"

# For TensorFlow, which reads it when imported: oneDNN's kernels on any x86 processor, not only
# where there is AVX-512. Attention's products take half the time with them (benchmarks/NOTES.md).
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
