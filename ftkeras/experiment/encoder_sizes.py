"""Measure how fast encoders of usual sizes are on this machine, with random weights."""

import dataclasses
import re
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import tensorflow as tf

from ftkeras.encoders.bert import Bert

# Tokens per word or punctuation mark of English texts in BERT's uncased vocabulary: 1.06 in
# GoEmotions, 1.09 in AG News, 1.11 in SST-2.
TOKENS_PER_WORD = 1.1
WORD = re.compile(r"\w+|[^\w\s]")
VOCABULARY, POSITIONS, SEGMENTS = 30522, 512, 2
BATCH = 16
REPEATS, MOST_SECONDS = 5, 3.0


@dataclasses.dataclass(frozen=True)
class Size:
    """A usual size of BERT-like encoders.

    Attributes:
        layers: number of Transformer layers.
        hidden: width of the states.
        heads: attention heads in a layer.
        published: encoders of this size on the Hugging Face Hub.
    """

    layers: int
    hidden: int
    heads: int
    published: str

    @property
    def parameters(self) -> int:
        """The number of weights, with BERT's vocabulary of 30,522 tokens and its pooler.

        >>> Size(12, 768, 12, "").parameters
        109482240
        """
        width = self.hidden
        embeddings = (VOCABULARY + POSITIONS + SEGMENTS + 2) * width
        return embeddings + self.layers * (12 * width + 13) * width + (width + 1) * width

    @property
    def megabytes(self) -> float:
        """The megabytes that the weights take in float32."""
        return self.parameters * 4 / 1e6


SIZES = (
    Size(2, 128, 2, "google/bert_uncased_L-2_H-128_A-2"),
    Size(4, 256, 4, "google/bert_uncased_L-4_H-256_A-4"),
    Size(4, 512, 8, "google/bert_uncased_L-4_H-512_A-8"),
    Size(6, 384, 12, "sentence-transformers/all-MiniLM-L6-v2"),
    Size(12, 384, 12, "microsoft/MiniLM-L12-H384-uncased"),
    Size(6, 768, 12, "distilbert-base-uncased, distilroberta-base"),
    Size(12, 768, 12, "bert-base-uncased, roberta-base, google/electra-base-discriminator"),
    Size(24, 1024, 16, "bert-large-uncased, roberta-large, xlm-roberta-large"),
)


@dataclasses.dataclass(frozen=True)
class Speed:
    """The measured speed of an encoder on this machine.

    Attributes:
        milliseconds: to encode one text.
        texts_per_second: in batches of 16.
    """

    milliseconds: float
    texts_per_second: float


def text_lengths(texts: Iterable[Sequence[str]], *, most: int) -> np.ndarray:
    """Return about how many tokens each text or pair has, special tokens included.

    Args:
        texts: texts, or pairs of texts, as sequences of one or two strings.
        most: longer ones are cut to this number of tokens.

    >>> text_lengths([["Good."], ["Is it?", "It is, it is."]], most=256).tolist()
    [4, 13]
    """
    counts = [(sum(len(WORD.findall(part)) for part in parts), len(parts)) for parts in texts]
    return np.array([min(round(TOKENS_PER_WORD * n) + 1 + k, most) for n, k in counts])


def measure(size: Size, *, length: int) -> Speed:
    """Time an encoder with random weights on texts of one length.

    Args:
        size: of the encoder.
        length: of the texts in tokens.
    """
    encoder = Bert(
        vocabulary_size=VOCABULARY,
        layers=size.layers,
        hidden=size.hidden,
        heads=size.heads,
        positions=max(POSITIONS, length),
        seed=0,
    )
    encode = tf.function(lambda ids: encoder(ids, every_token=False)["pooled"])
    single, batch = (tf.fill((n, length), 7) for n in (1, BATCH))
    return Speed(1000 * _seconds(encode, single), BATCH / _seconds(encode, batch))


def _seconds(encode: Callable[[tf.Tensor], tf.Tensor], ids: tf.Tensor) -> float:
    """Return the shortest duration of a call, which other work on the machine changes least.

    The first call, which traces, is not counted.
    """
    encode(ids).numpy()
    durations: list[float] = []
    while len(durations) < REPEATS and sum(durations) < MOST_SECONDS:
        start = time.perf_counter()
        encode(ids).numpy()
        durations.append(time.perf_counter() - start)
    return min(durations)
