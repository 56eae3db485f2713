"""Suggest the name that a user probably meant."""

import difflib
from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that is most like a name, or None if none is.

    In this order: the same but for case and dashes, the initials of its words, similar letters, or
    the same words with some more or fewer.

    >>> names = ("learning_rate", "epochs", "max_length", "batch_size", "train")
    >>> [nearest(name, names) for name in ("lr", "epoch", "max-seq-length", "num_train_epochs")]
    ['learning_rate', 'epochs', 'max_length', 'epochs']
    >>> nearest("xyz", names)
    """
    candidates = list(candidates)
    plain = {_plain(candidate): candidate for candidate in candidates}
    wanted = _plain(name)
    if wanted in plain:
        return plain[wanted]
    by_initials = {"".join(word[:1] for word in one.split("_")): one for one in plain if "_" in one}
    if wanted in by_initials:
        return plain[by_initials[wanted]]
    if close := difflib.get_close_matches(wanted, plain, n=1, cutoff=0.7):
        return plain[close[0]]
    words = set(wanted.split("_"))
    related = [one for one in plain if words <= set(one.split("_")) or words >= set(one.split("_"))]
    if related:
        return plain[max(related, key=lambda one: len(words & set(one.split("_"))))]
    close = difflib.get_close_matches(wanted, plain, n=1, cutoff=0.6)
    return plain[close[0]] if close else None


def hint(name: str, candidates: Iterable[str], prefix: str = "") -> str:
    """Return how a message about an unknown name goes on: a suggestion, or a full stop.

    >>> hint("cosin", ["cosine", "linear"]), hint("epoch", ["epochs"], prefix="--")
    ('; did you mean cosine?', '; did you mean --epochs?')
    >>> hint("xyz", ["cosine"])
    '.'
    """
    meant = nearest(name, candidates)
    return "." if meant is None else f"; did you mean {prefix}{meant}?"


def _plain(name: str) -> str:
    return str(name).strip().lower().replace("-", "_").replace(" ", "_")
