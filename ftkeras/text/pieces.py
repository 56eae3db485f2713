"""Classify the tokens of a vocabulary: special tokens, and starts of words."""

import unicodedata
from collections.abc import Sequence

import numpy as np

from ftkeras.errors import UserError
from ftkeras.text.tokenizer import Tokenizer

# The token that stands for a masked one, in all families.
MASKS = ("[MASK]", "<mask>")
# Kinds of characters in byte-level BPE; a word has characters of one kind.
UNCLEAR, LETTER, NUMBER, SPACE, OTHER = range(5)
_KINDS = {"L": LETTER, "N": NUMBER, "Z": SPACE}


class Pieces:
    """The tokens of a vocabulary, for masking.

    Args:
        tokenizer: has the vocabulary.
        opens: whether each token begins a word wherever it is, bool [vocabulary].
        firsts, lasts: the kinds of each token's first and last character, if a word also begins
            where kinds differ, integer [vocabulary]; UNCLEAR of a part of a character.

    Attributes:
        mask_id: the id of the mask token.
        is_special: whether each token is special, as those for padding and unknown words are, bool
            [vocabulary].
        ordinary: the ids of all others, int32 [others].

    Raises:
        UserError: if the vocabulary has no mask token.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        opens: Sequence[bool],
        firsts: Sequence[int] = (),
        lasts: Sequence[int] = (),
    ):
        masks = [mask for mask in MASKS if mask in tokenizer.vocabulary]
        if not masks:
            raise UserError(
                f"`encoder`: its vocabulary has no mask token, {' or '.join(MASKS)}, so it can't "
                "be pretrained by masking."
            )
        self.mask_id = tokenizer.vocabulary.index(masks[0])
        specials = (tokenizer.pad_id, tokenizer.unknown_id, self.mask_id, *tokenizer.special_ids)
        self.is_special = np.zeros(len(tokenizer.vocabulary), bool)
        self.is_special[list(specials)] = True
        self.ordinary = np.flatnonzero(~self.is_special).astype(np.int32)
        self._opens = np.array(opens, bool)
        self._kinds = (np.array(firsts, np.int8), np.array(lasts, np.int8)) if firsts else None

    def starts(self, ids: np.ndarray) -> np.ndarray:
        """Return whether each token of a text is the first of a word, bool [tokens].

        Args:
            ids: of the text's tokens without special ones that frame it, integer [tokens].
        """
        begins = self._opens[ids]
        if self._kinds is not None and len(ids):
            firsts, lasts = self._kinds
            before, after = lasts[ids[:-1]], firsts[ids[1:]]
            begins[1:] |= (before != after) & (before != UNCLEAR) & (after != UNCLEAR)
            begins[1:] |= self._is_contraction[ids[:-1]]
        begins[:1] = True
        return begins

    @property
    def _is_contraction(self) -> np.ndarray:
        """A mask of contractions such as 't, which are words of their own in byte-level BPE."""
        assert self._kinds is not None
        firsts, lasts = self._kinds
        return (firsts == OTHER) & (lasts == LETTER)


def kinds_of_ends(token: bytes) -> tuple[int, int]:
    """Return the kinds of a token's first and last character, behind a space that starts it.

    Source: the pattern of Radford et al., 2019, https://github.com/openai/gpt-2, encoder.py.

    >>> kinds_of_ends(b" word") == (LETTER, LETTER), kinds_of_ends(b"'t") == (OTHER, LETTER)
    (True, True)
    """
    if len(token) > 1 and token.startswith(b" "):
        token = token[1:]
    text = token.decode("utf-8", "replace")
    return (_kind(text[0]), _kind(text[-1])) if text else (UNCLEAR, UNCLEAR)


def _kind(character: str) -> int:
    if character == "\ufffd":  # a part of a character
        return UNCLEAR
    if character.isspace():
        return SPACE
    return _KINDS.get(unicodedata.category(character)[0], OTHER)
