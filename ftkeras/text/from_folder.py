"""Find out which tokenizer a checkpoint has."""

import pathlib

from ftkeras.text._byte_pair_files import CLASSES as BYTE_PAIR_CLASSES
from ftkeras.text._tokenizer_files import CONFIG, TOKENIZER, TokenizerFiles, file_error
from ftkeras.text._tokenizer_settings import tokenizer_class
from ftkeras.text._unigram_files import model_path
from ftkeras.text._unigram_layouts import LAYOUTS
from ftkeras.text.byte_pair import BytePair
from ftkeras.text.tokenizer import Tokenizer
from ftkeras.text.unigram import Unigram
from ftkeras.text.wordpiece import WordPiece

# By the type of the model in tokenizer.json.
_TOKENIZERS = {"WordPiece": WordPiece, "BPE": BytePair, "Unigram": Unigram}
_VOCABULARIES = {
    "WordPiece": "vocab.txt",
    "BPE": "vocab.json",
    "Unigram": "a SentencePiece model",
}


def read_tokenizer(folder: pathlib.Path) -> Tokenizer:
    """Read the tokenizer of a Hugging Face checkpoint, of whatever kind it is.

    Args:
        folder: has tokenizer.json, or vocab.txt (WordPiece), or vocab.json and merges.txt
            (byte-level BPE), or a SentencePiece model.

    Raises:
        UserError: if there is no tokenizer, or one that is not supported or not valid.
    """
    checkpoint = TokenizerFiles.read(pathlib.Path(folder))
    try:
        return _TOKENIZERS[_kind(checkpoint)].from_folder(checkpoint.folder)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        # The files' parts are read as what they are in valid files: objects, lists, numbers.
        has_none = checkpoint.tokenizer is None
        raise file_error(
            checkpoint.folder if has_none else checkpoint.tokenizer_path,
            "can't be read: a part of the tokenizer is missing or has the wrong JSON type "
            f"({error!r}); fetch the checkpoint's files again",
        ) from error


def _kind(checkpoint: TokenizerFiles) -> str:
    """Return the type of the tokenizer's model."""
    files = {
        "WordPiece": (checkpoint.folder / "vocab.txt").is_file(),
        "BPE": (checkpoint.folder / "vocab.json").is_file(),
        "Unigram": model_path(checkpoint.folder) is not None,
    }
    if checkpoint.tokenizer is not None:
        model = checkpoint.tokenizer.get("model")
        kind = model.get("type", "WordPiece") if isinstance(model, dict) else "none"
        if kind not in _TOKENIZERS:
            raise file_error(
                checkpoint.tokenizer_path,
                f"has model {kind}; supported are {', '.join(sorted(_TOKENIZERS))}",
            )
        if files["Unigram"] and kind != "Unigram":
            raise file_error(
                checkpoint.folder,
                f"has a SentencePiece model and a {TOKENIZER} of kind {kind}; remove one of them",
            )
        return kind
    kinds = [kind for kind, exists in files.items() if exists]
    if len(kinds) == 1:
        return kinds[0]
    return _named_kind(checkpoint, kinds)


def _named_kind(checkpoint: TokenizerFiles, kinds: list[str]) -> str:
    """Return which of several tokenizers the folder's tokenizer_class means."""
    name = tokenizer_class(checkpoint, "")[0].removesuffix("Fast")
    if not name:
        named = " and ".join(_VOCABULARIES[kind] for kind in kinds)
        raise file_error(
            checkpoint.folder,
            f"has {named}, but neither {TOKENIZER} nor a tokenizer_class in "
            f"{CONFIG}, which would say which of them counts",
        )
    if name in LAYOUTS and "Unigram" in kinds:
        return "Unigram"
    return "BPE" if name in BYTE_PAIR_CLASSES and "BPE" in kinds else kinds[0]
