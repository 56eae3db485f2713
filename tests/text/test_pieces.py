"""Tokens that begin words, against the word ids of Hugging Face's tokenizers."""

import json

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from ftkeras.errors import UserError
from ftkeras.text.byte_pair import BytePair
from ftkeras.text.pieces import Pieces
from ftkeras.text.wordpiece import WordPiece

TEXTS = (
    "I don't think it's the actors' fault; they'd have done well, I'm sure.",
    "In 1998, 25,000 people saw 'Titanic' (3h14m long!!) -- twice... 'twas fun, wasn't it?",
    "Übermäßig naïve café-goers, señor: 東京 is big, 100% sure, a+b=c, x_y, e-mail@host.org",
    "unbelievably\ttransformational\nnewlines, and  two   spaces 🙂🙂 here",
)


def _word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=160, special_tokens=specials, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    ids = tokenizer.get_vocab()
    return tokenizer, WordPiece(vocabulary=sorted(ids, key=ids.__getitem__))


def _byte_pair():
    # Enough of the texts that "'s" and its like are tokens, as in all published vocabularies.
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*TEXTS, *["it's 't 've 'd 'm 'll 're"] * 20], trainer)
    ids = tokenizer.get_vocab()
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    own = BytePair(vocabulary=sorted(ids, key=ids.__getitem__), merges=list(map(tuple, merges)))
    return tokenizer, own


@pytest.mark.parametrize("make", [_word_piece, _byte_pair])
def test_words_begin_where_those_of_tokenizers_do(make):
    reference, tokenizer = make()
    pieces = tokenizer.pieces()
    for text in TEXTS:
        encoding = reference.encode(text, add_special_tokens=False)
        ids = tokenizer([text]).to_list()[0]
        assert ids == encoding.ids
        words = np.array(encoding.word_ids)
        expected = np.concatenate([[True], words[1:] != words[:-1]])
        assert pieces.starts(np.array(ids)).tolist() == expected.tolist()


def test_special_tokens_are_known_by_their_ids():
    pieces = _word_piece()[1].pieces()
    assert pieces.mask_id == 4
    assert np.flatnonzero(pieces.is_special).tolist() == [0, 1, 2, 3, 4]
    assert pieces.ordinary[0] == 5


def test_vocabulary_without_a_mask_token_is_refused():
    tokenizer = WordPiece(vocabulary=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a"])
    with pytest.raises(UserError, match="no mask token"):
        Pieces(tokenizer, [True] * 5)
