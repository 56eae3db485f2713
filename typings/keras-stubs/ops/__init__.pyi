# Keras 3.15 has no annotations here, and pyright infers None from some of its backends.
from typing import Any

def __getattr__(name: str) -> Any: ...
