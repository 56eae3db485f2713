"""References for SentencePiece: `sentencepiece`, `tokenizers`, and a small model trained here."""

import functools
import io
import pathlib
from collections.abc import Sequence

import numpy as np
import sentencepiece
import transformers

from ftkeras import corpora
from ftkeras.text import _sentencepiece_model
from ftkeras.text._unigram_layouts import LAYOUTS
from ftkeras.text.unigram import Unigram

LANGUAGES = [
    "这部电影的情节一团糟，但是演员的表演非常出色。", "我真的很喜欢它！",
    "كان الفيلم مملًا جدًا، لكن الموسيقى رائعة.", "أحببت هذا الفيلم كثيرًا",
    "फ़िल्म की कहानी अच्छी थी, पर अंत निराशाजनक था।", "मुझे यह बहुत पसंद आया",
    "영화의 줄거리는 엉망이었지만 연기는 훌륭했다.", "정말 재미있었어요",
    "หนังเรื่องนี้สนุกมาก แต่ตอนจบน่าผิดหวัง", "ฉันชอบนักแสดงคนนี้",
    "映画のプロットはひどかったが、俳優は素晴らしかった。",
    "Ünïcödé naïve façade; Straße, привет мир",
]  # fmt: skip


@functools.cache
def small_model(**changes) -> bytes:
    """Train a unigram model on the bundled reviews and on sentences in several scripts."""
    reviews = pathlib.Path(corpora.__file__).parent / "reviews" / "train.tsv"
    lines = reviews.read_text(encoding="utf-8").splitlines()[:300] + 20 * LANGUAGES
    model = io.BytesIO()
    settings = {
        "model_type": "unigram",
        "vocab_size": 700,
        "hard_vocab_limit": False,
        "normalization_rule_name": "nmt_nfkc",
        "minloglevel": 2,
        "num_threads": 1,
    }
    changes = {key: list(v) if isinstance(v, tuple) else v for key, v in changes.items()}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, **{**settings, **changes}
    )
    return model.getvalue()


def reference(folder: pathlib.Path, model: bytes, name: str = "XLMRobertaTokenizer"):
    """Return the tokenizer of transformers for a model."""
    (folder / "sentencepiece.bpe.model").write_bytes(model)
    return getattr(transformers, name).from_pretrained(folder)


def score(pieces: Sequence[str], scores: dict[str, float]) -> np.float64:
    """Return the sum of a segmentation's scores; every unknown character has that of `unknown`."""
    return np.float64(sum(scores.get(piece, scores["<unk>"]) for piece in pieces))


def tokenizer(model: bytes, name: str = "XLMRobertaTokenizer") -> Unigram:
    """Return our tokenizer for a model."""
    layout = LAYOUTS[name]
    pieces = [piece.piece for piece in _sentencepiece_model.parse(model).pieces]
    vocabulary = [*layout.head, *pieces[layout.omitted :], "<mask>"]
    return Unigram(model=model, vocabulary=vocabulary, layout=name)
