"""Compare SentencePiece unigram in the graph with `sentencepiece` and `tokenizers` on all of IMDb.

    python benchmarks/unigram.py --data_dir=DIR [--model=FILE]

Without --model, a model of 8,000 pieces is trained on the first reviews. Both references are
packages that ftkeras does not need. The three may choose different segmentations with the same
score. So for each review that differs, the script scores both segmentations in float64, and counts

- the same pieces in another order, which have equal scores
- other pieces whose scores differ by no more than the rounding of sums in float32
- texts with U+0085, which `tokenizers` takes for a space, so that the pieces make up another string
- anything else, which would be an error and is printed
"""

import argparse
import io
import os
import pathlib
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import sentencepiece
from wordpiece import BATCH, reviews  # benchmarks/wordpiece.py

from ftkeras.text import _sentencepiece_model

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tests.text.unigram_reference import reference, tokenizer

SHIFT, UNKNOWN = 1, 3  # XLM-RoBERTa's ids are the model's plus one, and 3 for unknown pieces
EPSILON = 2.0**-23  # of float32


def train(texts: Sequence[str]) -> bytes:
    """Train a model of 8,000 pieces."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        model_type="unigram",
        vocab_size=8_000,
        normalization_rule_name="nmt_nfkc",
        max_sentence_length=20_000,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


class Judge:
    """Find out why two segmentations of a text differ.

    Args:
        model: content of the SentencePiece model.
        names: the pieces by id.
    """

    def __init__(self, model: bytes, names: Sequence[str]):
        pieces = _sentencepiece_model.parse(model).pieces
        self._names = names
        self._scores = {piece.piece: piece.score for piece in pieces}
        self._scores["<unk>"] = min(piece.score for piece in pieces) - 10

    def kind(self, found: Sequence[int], wanted: Sequence[int]) -> str:
        """Return "equal", "order", "rounding", "string" (the pieces of another one), or "error"."""
        if list(found) == list(wanted):
            return "equal"
        ours, theirs = ([self._names[i] for i in ids] for ids in (found, wanted))
        if Counter(ours) == Counter(theirs):
            return "order"
        if "".join(ours) != "".join(theirs):
            return "string"
        a, b = (sum(self._scores[piece] for piece in pieces) for pieces in (ours, theirs))
        # Each addition rounds to half a unit in the last place of the sum at most.
        bound = len(ours) * EPSILON * abs(a)
        return "rounding" if abs(a - b) <= bound else "error"


def main() -> None:
    """Count the differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", default=None, help="TFDS folder; default: that of TFDS")
    parser.add_argument("--model", type=pathlib.Path, help="a SentencePiece unigram model")
    options = parser.parse_args()
    texts = reviews(options.data_dir, ["train", "test", "unsupervised"])
    model = options.model.read_bytes() if options.model else train(texts[:20_000])
    ours = tokenizer(model)
    judge, counts, shown = Judge(model, ours.vocabulary), {}, Counter()
    first = sentencepiece.SentencePieceProcessor(model_proto=model)
    with tempfile.TemporaryDirectory() as folder:
        second = reference(pathlib.Path(folder), model).backend_tokenizer
    for start in range(0, len(texts), BATCH):
        part = texts[start : start + BATCH]
        found = ours([text.encode() for text in part]).to_list()
        wanted = {
            "sentencepiece": [
                [i + SHIFT if i else UNKNOWN for i in ids] for ids in first.encode(part)
            ],
            "tokenizers": [e.ids for e in second.encode_batch(part, add_special_tokens=False)],
        }
        for name, all_ids in wanted.items():
            for text, a, b in zip(part, found, all_ids, strict=True):
                kind = judge.kind(a, b)
                if kind == "string":
                    kind = "U+0085" if "\x85" in text else "error"
                counts.setdefault(name, Counter())[kind] += 1
                if kind == "error" and shown[name] < 20:
                    shown[name] += 1
                    place = next(
                        (n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), 0
                    )
                    pieces = (
                        [ours.vocabulary[i] for i in ids[max(0, place - 2) : place + 4]]
                        for ids in (a, b)
                    )
                    print(name, *pieces, repr(text[:40]))
    for name, kinds in counts.items():
        print(f"IMDb, {len(texts)} reviews: ours and {name}: {dict(kinds)}", flush=True)


if __name__ == "__main__":
    main()
