"""Summarize what was read, so that mistakes in the data show before training."""

import math
from typing import Any

import numpy as np

from ftkeras.config import combinations
from ftkeras.data.examples import Examples
from ftkeras.data.splits import Splits
from ftkeras.problems import Problem


def summarize_splits(splits: Splits, tokenizer: Any) -> dict[str, dict]:
    """Return the summary of each split that the run uses; see `summarize`."""
    parts = [splits.train, splits.validation, splits.test if splits.config.test else None]
    config, reads = splits.config, splits.task.problem_class.reads
    # Windows leave nothing out.
    about = {
        "max_length": math.inf if combinations.cuts_windows(config) else config.max_length,
        "problem": splits.task.problem(),
    }
    return {
        part.name: summarize(
            part,
            unknown_id=tokenizer.unknown_id,
            specials=_specials(tokenizer, part, reads),
            **about,
        )
        for part in parts
        if part is not None
    }


def summarize(
    examples: Examples,
    *,
    unknown_id: int | None,
    specials: int,
    max_length: float,
    problem: Problem,
) -> dict:
    """Return figures of a split.

    Args:
        examples: of the split.
        unknown_id: the token id of words that the vocabulary lacks, or None.
        specials: the number of special tokens of a row; an example with no others is empty.
        max_length: tokens to which texts were cut; infinite if they are cut into windows.
        problem: summarizes the targets.

    Returns:
        What the problem says about the targets, and about words if it answers these; "empty": texts
        without a token; "duplicates": texts that occurred before; "contradictions": distinct texts
        with more than one target; "full_length": texts of `max_length` tokens, nearly all of them
        cut; "unknown_share": share of unknown tokens among all but the special ones. Of texts that
        are cut into windows also "windows": how many there are, "most_windows": of a text, and
        "several_windows": texts that have more than one.
    """
    texts = np.unique(examples.digests)
    targets = problem.distinguish(examples.targets)
    pairs = np.unique(np.stack([examples.digests, targets.astype(np.uint64)]), axis=1)
    others = examples.lengths - specials * examples.row_counts
    return {
        **problem.summarize(examples.targets),
        **_words(examples, problem),
        "empty": int((others <= 0).sum()),
        "duplicates": len(examples) - len(texts),
        "contradictions": int((np.unique(pairs[0], return_counts=True)[1] > 1).sum()),
        "full_length": int((examples.row_lengths >= max_length).sum()),
        "unknown_share": int(count_token(examples, unknown_id).sum()) / max(1, int(others.sum())),
        **({} if math.isfinite(max_length) else _windows(examples)),
    }


def _specials(tokenizer: Any, examples: Examples, reads: str) -> int:
    """Return the number of special tokens of a row: of a pair, unless each text is a row."""
    return tokenizer.specials[examples.pairs and reads != "each_text"]


def _words(examples: Examples, problem: Problem) -> dict:
    """Return what the problem says about the words that it answers, if it answers words."""
    if problem.reads != "words":
        return {}
    return problem.summarize_words(examples.targets, examples.words())


def _windows(examples: Examples) -> dict[str, int]:
    assert examples.windows is not None, "windows have no limit"
    counts = examples.windows.counts[examples.rows]
    return {
        "windows": int(counts.sum()),
        "most_windows": int(counts.max(initial=0)),
        "several_windows": int((counts > 1).sum()),
    }


def count_token(examples: Examples, token_id: int | None) -> np.ndarray:
    """Return how often each example has a token, int64 [examples]; 0 if there is no such token."""
    if token_id is None:
        return np.zeros(len(examples), np.int64)
    # Of the whole store: views of it may select any rows.
    places = np.flatnonzero(examples.token_ids == token_id)
    starts, ends = examples.offsets[examples.rows], examples.offsets[examples.rows + 1]
    return np.searchsorted(places, ends) - np.searchsorted(places, starts)
