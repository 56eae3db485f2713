"""Encoders: token ids in, hidden states out; one family in each file, written with Keras ops only.

An encoder is a Keras layer that fulfils `ftkeras.support.protocols.Encoder`. All of them are one
network, `_encoder.TransformerEncoder`, which a family configures. A family's file has its defaults,
and a `Family`: the names of settings, tensors and classes in Hugging Face's files. From these, an
encoder has

- `settings(config)`, a class method: constructor arguments from a Hugging Face config.json;
- `huggingface_config()`: the content of that config.json;
- `load(tensors, source=…)` and `tensors()`: weights under their Hugging Face names.

Policies and regularizers act inside it through its `hooks` (`ftkeras.support.layer_hooks`).
"""

from ftkeras.encoders._pretrained import (
    build,
    family,
    family_name,
    from_pretrained,
    load_weights,
    require_padding,
)
from ftkeras.support import lazy

__all__ = [
    "build",
    "family",
    "family_name",
    "from_pretrained",
    "load_weights",
    "require_padding",
]

__getattr__, __dir__ = lazy.attach(__name__)
