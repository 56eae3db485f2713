"""Resemblance of token sequences by min-hashes, and which of them chains of resemblance link.

Time and memory grow with the number of tokens and of texts, and not with the number of pairs.
"""

import itertools
from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

# Texts that resemble each other by s agree in all hashes of a band with probability s ** WIDTH.
BANDS, WIDTH = 32, 4
HASHES = BANDS * WIDTH
# Tokens hashed together, and pairs compared together: enough to fill NumPy's loops.
TOKENS_A_STEP = 1 << 18
PAIRS_A_STEP = 1 << 14


def signatures(examples, *, shingle: int) -> np.ndarray:
    """The least hash of each text's shingles under each of 128 functions, uint32 [texts, 128].

    h(x) = a x + b mod 2⁶⁴, a odd, for the shingle x; of the least, the upper half is kept.

    Args:
        examples: has `token_ids` [total], `offsets` [texts + 1] and `rows` [examples].
        shingle: tokens a shingle; positive.
    """
    rng = np.random.default_rng(0)  # the functions are any fixed ones
    factors = rng.integers(2**64, size=HASHES, dtype=np.uint64) | np.uint64(1)
    terms = rng.integers(2**64, size=HASHES, dtype=np.uint64)
    least = np.empty((len(examples.rows), HASHES), np.uint32)
    for texts in _steps(examples):
        hashes, starts = _shingles(*_tokens(examples, texts), size=shingle)
        for number, (factor, term) in enumerate(zip(factors, terms, strict=True)):
            found = np.minimum.reduceat(hashes * factor + term, starts)
            least[texts, number] = found >> np.uint64(32)
    return least


def components(signatures: np.ndarray, *, similarity: float) -> np.ndarray:
    """The group of each text, int64 [texts]: those that chains of resemblance link have one.

    Args:
        signatures: uint32 [texts, 128].
        similarity: share of agreeing hashes from which on two texts are linked.
    """
    texts = len(signatures)
    links = [
        pairs[:, _resemblance(signatures, *pairs) >= similarity]
        for pairs in _candidates(signatures)
    ]
    firsts, seconds = np.concatenate([np.zeros((2, 0), np.int64), *links], axis=1)
    linked = np.ones(len(firsts), bool)
    graph = coo_matrix((linked, (firsts, seconds)), shape=(texts, texts))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _steps(examples) -> Iterator[slice]:
    """Stretches of the examples with about TOKENS_A_STEP tokens each."""
    lengths = examples.offsets[examples.rows + 1] - examples.offsets[examples.rows]
    step_of = np.cumsum(lengths) // TOKENS_A_STEP
    cuts = [0, *(np.flatnonzero(np.diff(step_of)) + 1).tolist(), len(lengths)]
    yield from (slice(*cut) for cut in itertools.pairwise(cuts) if cut[0] < cut[1])


def _tokens(examples, texts: slice) -> tuple[np.ndarray, np.ndarray]:
    """The token ids of some texts end to end, and how many each has."""
    rows = examples.rows[texts]
    begins, lengths = examples.offsets[rows], examples.offsets[rows + 1] - examples.offsets[rows]
    before = np.cumsum(lengths) - lengths
    places = np.repeat(begins - before, lengths) + np.arange(lengths.sum())
    return examples.token_ids[places], lengths


def _shingles(tokens: np.ndarray, lengths: np.ndarray, *, size: int):
    """A hash of each shingle, uint64 [shingles], and where each text's begin."""
    ends = np.repeat(np.cumsum(lengths), lengths)
    starts = np.cumsum(lengths) - lengths
    places = np.arange(len(tokens))
    following = np.concatenate([tokens.astype(np.uint64) + np.uint64(1), np.zeros(size, np.uint64)])
    hashes = np.zeros(len(tokens), np.uint64)
    for ahead in range(size):
        token = np.where(places + ahead < ends, following[ahead : ahead + len(tokens)], 0)
        hashes = _mixed(hashes + token)
    whole = places + size <= ends
    whole[starts] = True  # a text shorter than a shingle is one
    count = np.add.reduceat(whole, starts, dtype=np.int64)
    return hashes[whole], np.cumsum(count) - count


def _mixed(values: np.ndarray) -> np.ndarray:
    """Every bit of each value spread over all: SplitMix64 (Steele et al., 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _candidates(signatures: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs of texts that agree in a whole band, int64 [2, pairs].

    Of many that agree, each comes with the first and with its neighbour, not with all others.
    """
    for band in range(BANDS):
        key = np.zeros(len(signatures), np.uint64)
        for column in signatures[:, band * WIDTH : (band + 1) * WIDTH].T:
            key = _mixed(key + column)
        order = np.argsort(key, kind="stable")
        same = np.diff(key[order]) == 0
        places = np.flatnonzero(same) + 1
        begins = np.where(np.concatenate([[True], ~same]), np.arange(len(order)), 0)
        head = np.maximum.accumulate(begins)
        pairs = [(order[head[places]], order[places]), (order[places - 1], order[places])]
        pairs = np.concatenate(pairs, axis=1)
        for first in range(0, pairs.shape[1], PAIRS_A_STEP):
            yield pairs[:, first : first + PAIRS_A_STEP]


def _resemblance(signatures: np.ndarray, firsts: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    return (signatures[firsts] == signatures[seconds]).mean(axis=1)
