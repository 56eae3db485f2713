"""The reference for byte-level BPE: `tokenizers`, and a small vocabulary that it trains."""

import functools
import json
import pathlib

import tokenizers
from tokenizers import models, pre_tokenizers, processors, trainers

from ftkeras import corpora
from ftkeras.text._added_tokens import AddedToken

SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]
MODERN_SPECIALS = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
# The last two are recognized before texts are normalized.
ADDED = ["  ", "   ", "     ", "|||IP|||", "[unused0]", "<|end|>", "<|end|>>"]
# Words in several scripts, so that not all of their characters stay single bytes.
_OTHERS = 20 * (
    "Ünïcödé naïve 東京 日本語 🙂🙂 привет мир नमस्ते १६ سلام 안녕하세요 "
    "don't we've I'LL ½ €  \n\n\t x"
)


def letters_of_texts() -> list[str]:
    """Return the letters of the bytes that texts in UTF-8 have, which are not all bytes."""
    points = [p for p in [*range(0x800), *range(0x800, 0x110000, 64)] if not 0xD800 <= p < 0xE000]
    words = pre_tokenizers.ByteLevel().pre_tokenize_str("".join(map(chr, points)))
    return sorted({letter for word, _ in words for letter in word})


@functools.cache
def small_vocabulary(all_bytes: bool = True) -> tuple[list[str], list[tuple[str, str]]]:
    """Train on the bundled reviews, and return the vocabulary by id and the merges.

    Args:
        all_bytes: whether the vocabulary has all 256 bytes, or those of texts, as GPT-NeoX's and
            ModernBERT's have.
    """
    reviews = pathlib.Path(corpora.__file__).parent / "reviews" / "train.tsv"
    lines = [*reviews.read_text(encoding="utf-8").splitlines()[:400], _OTHERS]
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet() if all_bytes else letters_of_texts()
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=[*SPECIALS, "<mask>"], initial_alphabet=alphabet,
        show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(lines, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"]]
    return sorted(model["vocab"], key=model["vocab"].get), merges


def reference(vocabulary, merges, add_prefix_space=False) -> tokenizers.Tokenizer:
    """Return the tokenizer of `tokenizers` that transformers builds for RoBERTa."""
    ids = {token: index for index, token in enumerate(vocabulary)}
    tokenizer = tokenizers.Tokenizer(models.BPE(ids, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", ids["</s>"]), ("<s>", ids["<s>"]), True, add_prefix_space
    )
    return tokenizer


def modern_settings():
    """Return the arguments of BytePair for a tokenizer like ModernBERT's."""
    vocabulary, merges = small_vocabulary(all_bytes=False)
    tokens = [*vocabulary, *ADDED, *MODERN_SPECIALS]
    added = [
        AddedToken(content, tokens.index(content), content[:2] != "<|", content[:2] == "<|")
        for content in ADDED
    ]
    return {
        "vocabulary": tokens, "merges": merges, "style": "bert", "compose": True,
        "added_tokens": added,
    }  # fmt: skip
