"""Train the vocabulary of a tokenizer on texts, with the package `tokenizers`."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ftkeras.errors import UserError
from ftkeras.text._frames import STYLES
from ftkeras.text.byte_pair import BytePair
from ftkeras.text.tokenizer import Tokenizer
from ftkeras.text.wordpiece import MAX_TOKEN_BYTES, WordPiece, fits

WORD_PIECE, BYTE_PAIR = "word_piece", "byte_pair"
# Texts that are handed to `tokenizers` together.
_TEXTS = 1000
log = logging.getLogger(__name__)


def train(texts: Callable[[], Iterable[str]], size: int, *, kind: str) -> Tokenizer:
    """Return a tokenizer whose vocabulary is trained on texts; the same texts give the same one.

    A WordPiece vocabulary is lower-cased, as that of bert-base-uncased. It is found by merging
    pairs by their frequency, so it is that of byte-pair encoding, used by WordPiece's rules.

    Args:
        texts: returns them, in any order, which does not matter; it may be called twice.
        size: the most tokens, special ones and single characters included.
        kind: word_piece, or byte_pair for byte-level BPE as in RoBERTa.

    Raises:
        UserError: `tokenizers` is not installed, or the texts give too small a vocabulary.
    """
    try:
        import tokenizers
    except ImportError:
        raise UserError(
            "`vocabulary_size` needs the package tokenizers: pip install 'ftkeras[pretrain]'."
        ) from None
    made: Any = (_train_word_piece if kind == WORD_PIECE else _train_byte_pair)(
        tokenizers, texts, size
    )
    if (smallest := len(made.vocabulary)) > size:
        raise UserError(
            f"`vocabulary_size` must be at least {smallest}, because the texts have so many "
            f"different characters. Received: {size}."
        )
    return made


def _train_word_piece(tokenizers: Any, texts: Callable[[], Iterable[str]], size: int) -> WordPiece:
    start, pad, end, unknown = STYLES["bert"].specials
    specials = [pad, unknown, start, end, STYLES["bert"].mask]
    model = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token=unknown))
    model.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    model.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()

    def train(size: int, first: list[str]) -> list[str]:
        trainer = tokenizers.trainers.WordPieceTrainer(
            vocab_size=size, special_tokens=first, show_progress=False
        )
        model.train_from_iterator(_batches(texts()), trainer)
        return _by_id(model.get_vocab())

    # Pairs of equal frequency are merged by the ids of their characters, which are at random unless
    # they are given.
    characters = sorted(set(train(0, specials)) - set(specials), key=lambda t: (len(t), t))
    vocabulary = train(size, [*specials, *characters])
    kept = [token for token in vocabulary if fits(token)]
    if left_out := len(vocabulary) - len(kept):
        log.warning(
            "%d tokens of more than %d bytes are left out of the vocabulary; the texts repeat long "
            "strings without spaces",
            *(left_out, MAX_TOKEN_BYTES),
        )
    return WordPiece(vocabulary=kept, lowercase=True)


def _train_byte_pair(tokenizers: Any, texts: Callable[[], Iterable[str]], size: int) -> BytePair:
    start, pad, end, unknown = STYLES["roberta"].specials
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[start, pad, end, unknown, STYLES["roberta"].mask],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    model.train_from_iterator(_batches(texts()), trainer)
    merges = json.loads(model.to_str())["model"]["merges"]
    return BytePair(vocabulary=_by_id(model.get_vocab()), merges=[(a, b) for a, b in merges])


def _by_id(ids: dict[str, int]) -> list[str]:
    return sorted(ids, key=ids.__getitem__)


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch = []
    for text in texts:
        batch.append(text)
        if len(batch) == _TEXTS:
            yield batch
            batch = []
    yield batch
