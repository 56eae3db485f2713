"""Estimate the resemblance of token sequences by min-hashes, and link those that resemble.

Time and memory grow with the number of tokens and of texts, not with the number of pairs.
"""

import itertools
from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ftkeras.data.examples import Examples

# Texts with resemblance s agree in all hashes of a band with probability s ** WIDTH.
BANDS, WIDTH = 32, 4
HASHES = BANDS * WIDTH
# The numbers of tokens hashed and of pairs compared at once: large enough for NumPy to be fast.
TOKENS_PER_STEP = 1 << 18
PAIRS_PER_STEP = 1 << 14


def signatures(examples: Examples, *, shingle: int) -> np.ndarray:
    """Return the least hash of each text's shingles under 128 functions, uint32 [texts, 128].

    A function is h(x) = a x + b mod 2⁶⁴ of the shingle x, with odd a. The upper half of the least
    value is kept.

    Args:
        examples: the texts.
        shingle: the tokens of a shingle; positive.
    """
    rng = np.random.default_rng(0)  # any functions will do if they are always the same
    factors = rng.integers(2**64, size=HASHES, dtype=np.uint64) | np.uint64(1)
    terms = rng.integers(2**64, size=HASHES, dtype=np.uint64)
    least = np.empty((len(examples.rows), HASHES), np.uint32)
    for texts in _steps(examples):
        hashes, starts = _shingles(*_tokens(examples, texts), size=shingle)
        for number, (factor, term) in enumerate(zip(factors, terms, strict=True)):
            minima = np.minimum.reduceat(hashes * factor + term, starts)
            least[texts, number] = minima >> np.uint64(32)
    return least


def components(signatures: np.ndarray, *, similarity: float) -> np.ndarray:
    """Return the group of each text, int64 [texts]: texts linked by a chain are in one group.

    Args:
        signatures: uint32 [texts, 128].
        similarity: the least share of equal hashes for which two texts are linked.
    """
    texts = len(signatures)
    firsts, seconds, _ = links(signatures, similarity=similarity)
    linked = np.ones(len(firsts), bool)
    graph = coo_matrix((linked, (firsts, seconds)), shape=(texts, texts))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def links(
    signatures: np.ndarray, *, similarity: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of texts that resemble each other, and their resemblance, each [pairs].

    Args:
        signatures: uint32 [texts, 128].
        similarity: the least share of equal hashes of a pair. A pair may occur more than once.
    """
    linked: list[np.ndarray] = [np.zeros((2, 0), np.int64)]
    shares = [np.zeros(0)]
    for pairs in _candidates(signatures):
        resemblance = _resemblance(signatures, *pairs)
        linked.append(pairs[:, resemblance >= similarity])
        shares.append(resemblance[resemblance >= similarity])
    firsts, seconds = np.concatenate(linked, axis=1)
    return firsts, seconds, np.concatenate(shares)


def _steps(examples: Examples) -> Iterator[slice]:
    """Yield slices of the examples with about TOKENS_PER_STEP tokens each."""
    lengths = examples.offsets[examples.rows + 1] - examples.offsets[examples.rows]
    step_of = np.cumsum(lengths) // TOKENS_PER_STEP
    cuts = [0, *(np.flatnonzero(np.diff(step_of)) + 1).tolist(), len(lengths)]
    yield from (slice(*cut) for cut in itertools.pairwise(cuts) if cut[0] < cut[1])


def _tokens(examples: Examples, texts: slice) -> tuple[np.ndarray, np.ndarray]:
    """Return the token ids of some texts, one after the other, and the length of each text."""
    rows = examples.rows[texts]
    starts, lengths = examples.offsets[rows], examples.offsets[rows + 1] - examples.offsets[rows]
    before = np.cumsum(lengths) - lengths
    indices = np.repeat(starts - before, lengths) + np.arange(lengths.sum())
    return examples.token_ids[indices], lengths


def _shingles(
    tokens: np.ndarray, lengths: np.ndarray, *, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a hash of each shingle, uint64 [shingles], and where each text's shingles start."""
    ends = np.repeat(np.cumsum(lengths), lengths)
    starts = np.cumsum(lengths) - lengths
    indices = np.arange(len(tokens))
    following = np.concatenate([tokens.astype(np.uint64) + np.uint64(1), np.zeros(size, np.uint64)])
    hashes = np.zeros(len(tokens), np.uint64)
    for ahead in range(size):
        token = np.where(indices + ahead < ends, following[ahead : ahead + len(tokens)], 0)
        hashes = _mix(hashes + token)
    is_shingle = indices + size <= ends
    is_shingle[starts] = True  # a text shorter than a shingle is one
    count = np.add.reduceat(is_shingle, starts, dtype=np.int64)
    return hashes[is_shingle], np.cumsum(count) - count


def _mix(values: np.ndarray) -> np.ndarray:
    """Let every bit of a value change all others: SplitMix64 (Steele et al., 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _candidates(signatures: np.ndarray) -> Iterator[np.ndarray]:
    """Yield pairs of texts that agree in a whole band, int64 [2, pairs].

    If many texts agree, each is paired with the first and with its neighbour, not with all others.
    """
    for band in range(BANDS):
        key = np.zeros(len(signatures), np.uint64)
        for column in signatures[:, band * WIDTH : (band + 1) * WIDTH].T:
            key = _mix(key + column)
        order = np.argsort(key, kind="stable")
        same = np.diff(key[order]) == 0
        repeats = np.flatnonzero(same) + 1
        starts = np.where(np.concatenate([[True], ~same]), np.arange(len(order)), 0)
        first_of = np.maximum.accumulate(starts)
        pairs = [(order[first_of[repeats]], order[repeats]), (order[repeats - 1], order[repeats])]
        pairs = np.concatenate(pairs, axis=1)
        for first in range(0, pairs.shape[1], PAIRS_PER_STEP):
            yield pairs[:, first : first + PAIRS_PER_STEP]


def _resemblance(signatures: np.ndarray, firsts: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Return the share of equal hashes of each pair, float64 [pairs]."""
    return (signatures[firsts] == signatures[seconds]).mean(axis=1)
