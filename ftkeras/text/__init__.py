"""Turn strings into token ids, with the same TensorFlow ops in training and serving.

`Preprocessor` is the layer for Keras models, and `from_pretrained` makes it from a checkpoint.
"""

import os
from typing import TYPE_CHECKING, Any

from ftkeras.support import lazy

if TYPE_CHECKING:
    from ftkeras.text.preprocessor import Preprocessor

__all__ = ["from_pretrained"]

__getattr__, __dir__ = lazy.attach(__name__)


def from_pretrained(
    encoder: str | os.PathLike[str], max_length: int = 128, **kwargs: Any
) -> "Preprocessor":
    """Return the layer that turns texts into the input of an encoder.

    Args:
        encoder: a folder with a tokenizer's files, or a Hugging Face Hub id such as `roberta-base`,
            which is downloaded unless it is in the cache.
        max_length: the most tokens of a text, special ones included.
        **kwargs: those of `ftkeras.text.Preprocessor`: `truncation`, `fixed_length`, `reads`,
            `options` and `name`.

    Raises:
        UserError: there is no such checkpoint, or its tokenizer is not supported.
        ValueError: an argument is out of bounds; names it.
    """
    from ftkeras.checkpoints import huggingface
    from ftkeras.text.from_folder import read_tokenizer
    from ftkeras.text.preprocessor import Preprocessor

    tokenizer = read_tokenizer(huggingface.resolve(os.fspath(encoder)))
    return Preprocessor(max_length, tokenizer=tokenizer, **kwargs)
