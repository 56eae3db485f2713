"""The vocabularies that classes of transformers make of SentencePiece models."""

from typing import NamedTuple

from ftkeras.text._frames import STYLES
from ftkeras.text._sentencepiece_model import CONTROL, UNKNOWN
from ftkeras.text._tokenizer_files import SENTENCEPIECE


class Layout(NamedTuple):
    """The vocabulary of a class of transformers: the head, the model's pieces, then the mask.

    Attributes:
        head: the first tokens.
        omitted: how many of the model's first pieces the vocabulary lacks.
        first: the first pieces of the model: the piece, its score and its type.
        style: a key of `STYLES`, for the special tokens.
        segments: the segments of a pair.
        file: the name of the model's file.
        refused: settings of tokenizer_config.json that must be false.
        adds_mask: whether the mask follows the model's pieces, because it is none of them.
        normalizes: whether texts are normalized before the model's own rules, as for ALBERT.
    """

    head: tuple[str, ...]
    omitted: int
    first: tuple[tuple[str, float, int], ...] = (
        ("<unk>", 0.0, UNKNOWN),
        ("<s>", 0.0, CONTROL),
        ("</s>", 0.0, CONTROL),
    )
    style: str = "roberta"
    segments: int = 1
    file: str = SENTENCEPIECE[0]
    refused: tuple[str, ...] = ()
    adds_mask: bool = True
    normalizes: bool = False

    @property
    def unknown_id(self) -> int:
        """The id of the unknown token, which is in the head or the first of the model's pieces."""
        names = self.head or tuple(piece for piece, _, _ in self.first)
        return names.index(STYLES[self.style].specials[3])


DEBERTA, ALBERT = "DebertaV2Tokenizer", "AlbertTokenizer"
# The first two have fairseq's order of special tokens, which both models were trained with.
LAYOUTS = {
    "XLMRobertaTokenizer": Layout(("<s>", "<pad>", "</s>", "<unk>"), 3),
    "CamembertTokenizer": Layout(
        ("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED"), 1
    ),
    DEBERTA: Layout(
        head=(),
        omitted=0,
        first=(
            ("[PAD]", 0.0, CONTROL),
            ("[CLS]", 0.0, CONTROL),
            ("[SEP]", 0.0, CONTROL),
            ("[UNK]", 0.0, UNKNOWN),
        ),
        style="bert",
        segments=2,
        file="spm.model",
        refused=("do_lower_case", "split_by_punct"),
    ),
    ALBERT: Layout(
        head=(),
        omitted=0,
        first=(
            ("<pad>", 0.0, CONTROL),
            ("<unk>", 0.0, UNKNOWN),
            ("[CLS]", 0.0, CONTROL),
            ("[SEP]", 0.0, CONTROL),
            ("[MASK]", 0.0, CONTROL),
        ),
        style="albert",
        segments=2,
        file="spiece.model",
        adds_mask=False,
        normalizes=True,
    ),
}
