"""tokenizer.json as tokenizers wrote it before models had a type."""

import json
import pathlib

import pytest

from ftkeras.text.from_folder import read_tokenizer


def require_equal(folder: pathlib.Path, kind: type, texts: list[str]) -> None:
    """Check that a folder's tokenizer stays the same without the type of its model."""
    path, expected = folder / "tokenizer.json", read_tokenizer(folder)(texts).to_list()
    if not path.is_file():
        pytest.skip("has no tokenizer.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["model"].pop("type")
    path.write_text(json.dumps(content), encoding="utf-8")
    tokenizer = read_tokenizer(folder)
    assert isinstance(tokenizer, kind)
    assert tokenizer(texts).to_list() == expected
