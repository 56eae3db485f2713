"""Find out which tokenizer a checkpoint has."""

import pathlib

from ftkeras.text._tokenizer_files import CONFIG, TOKENIZER, TokenizerFiles, file_error
from ftkeras.text._tokenizer_settings import tokenizer_class
from ftkeras.text.byte_pair import BytePair
from ftkeras.text.tokenizer import Tokenizer
from ftkeras.text.wordpiece import WordPiece

# By the type of the model in tokenizer.json.
_TOKENIZERS = {"WordPiece": WordPiece, "BPE": BytePair}


def read_tokenizer(folder: pathlib.Path) -> Tokenizer:
    """Read the tokenizer of a Hugging Face checkpoint, of whatever kind it is.

    Args:
        folder: has tokenizer.json, or vocab.txt (WordPiece), or vocab.json and merges.txt
            (byte-level BPE).

    Raises:
        UserError: if there is no tokenizer, or one that is not supported.
    """
    found = TokenizerFiles.read(pathlib.Path(folder))
    return _TOKENIZERS[_kind(found)].from_folder(found.folder)


def _kind(found: TokenizerFiles) -> str:
    if found.tokenizer is not None:
        model = found.tokenizer.get("model")
        kind = model.get("type", "WordPiece") if isinstance(model, dict) else "none"
        if kind not in _TOKENIZERS:
            raise file_error(
                found.tokenizer_path,
                f"has model {kind}; supported are {', '.join(sorted(_TOKENIZERS))}",
            )
        return kind
    has_words, has_merges = (
        (found.folder / name).is_file() for name in ("vocab.txt", "vocab.json")
    )
    if has_words and has_merges:
        name, _ = tokenizer_class(found, "")
        if not name:
            raise file_error(
                found.folder,
                f"has vocab.txt and vocab.json, but neither {TOKENIZER} nor a tokenizer_class in "
                f"{CONFIG}, which would say which of them counts",
            )
        return "BPE" if name.startswith("Roberta") else "WordPiece"
    return "WordPiece" if has_words else "BPE"
