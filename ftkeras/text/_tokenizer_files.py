"""The files that describe a tokenizer in a Hugging Face checkpoint folder."""

import json
import pathlib
from typing import Any, NamedTuple

from ftkeras.errors import UserError

TOKENIZER, CONFIG = "tokenizer.json", "tokenizer_config.json"
SPECIALS, ADDED = "special_tokens_map.json", "added_tokens.json"
VOCABULARIES = ("vocab.txt", "vocab.json")  # of WordPiece, and of byte-level BPE
SENTENCEPIECE = ("sentencepiece.bpe.model", "spiece.model", "spm.model")


def written_settings(
    max_length: int | None, cut_side: str | None, *, splits_special_tokens: bool = True
) -> dict[str, Any]:
    """Return entries of tokenizer_config.json about how transformers is to read texts.

    Args:
        max_length: the tokens that it truncates texts to; None for no limit.
        cut_side: the side at which it does: right, or left; None for its default, which is right.
        splits_special_tokens: whether a special token within a text is plain text.
    """
    settings = {
        "split_special_tokens": splits_special_tokens or None,
        "model_max_length": max_length,
        "truncation_side": cut_side,
    }
    return {name: value for name, value in settings.items() if value is not None}


class TokenizerFiles(NamedTuple):
    """The contents of a checkpoint's tokenizer files.

    Attributes:
        folder: where they are.
        tokenizer: of tokenizer.json, or None if there is none; it has a "model".
        config: of tokenizer_config.json; empty if there is none.
        specials: of special_tokens_map.json; empty if there is none.
        added: of added_tokens.json; empty if there is none.
        model: of the model's config.json; empty if there is none.
    """

    folder: pathlib.Path
    tokenizer: dict[str, Any] | None
    config: dict[str, Any]
    specials: dict[str, Any]
    added: dict[str, Any]
    model: dict[str, Any]

    @classmethod
    def read(cls, folder: pathlib.Path) -> "TokenizerFiles":
        """Read the files.

        Raises:
            UserError: if there is no tokenizer, or a file is not a JSON object.
        """
        has_tokenizer = (folder / TOKENIZER).is_file()
        if not has_tokenizer and not any(
            (folder / n).is_file() for n in (*VOCABULARIES, *SENTENCEPIECE)
        ):
            raise file_error(
                folder,
                f"has no {TOKENIZER}, no {VOCABULARIES[0]} and no {VOCABULARIES[1]}, and no "
                "SentencePiece model; name a checkpoint with its tokenizer",
            )
        names = (CONFIG, SPECIALS, ADDED, "config.json")
        rest = [read_json(folder / name) if (folder / name).is_file() else {} for name in names]
        tokenizer = _with_type(read_json(folder / TOKENIZER)) if has_tokenizer else None
        return cls(folder, tokenizer, *rest)

    @property
    def tokenizer_path(self) -> pathlib.Path:
        """The path of tokenizer.json."""
        return self.folder / TOKENIZER

    @property
    def config_path(self) -> pathlib.Path:
        """The path of tokenizer_config.json."""
        return self.folder / CONFIG


def _with_type(tokenizer: dict[str, Any]) -> dict[str, Any]:
    """Return the content of tokenizer.json with the type of its model.

    Versions of tokenizers before 0.9 wrote none, so the files of old checkpoints may lack it.
    """
    model = tokenizer.get("model")
    if not isinstance(model, dict) or model.get("type") is not None:
        return tokenizer
    kind = "BPE" if "merges" in model else "WordPiece"
    if "unk_id" in model or isinstance(model.get("vocab"), list):
        kind = "Unigram"
    return {**tokenizer, "model": {**model, "type": kind}}


def file_error(path: pathlib.Path, problem: str) -> UserError:
    """Return the error for a file of the checkpoint."""
    return UserError(f"`encoder`: {path} {problem}.")


def read_json(path: pathlib.Path) -> dict[str, Any]:
    """Return the content of a JSON object.

    Raises:
        UserError: if the file can't be read, or is not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise file_error(path, f"cannot be read as JSON ({error})") from None
    if not isinstance(content, dict):
        raise file_error(path, "is not a JSON object")
    return content
