"""The conclusions of a comparison as sentences: what it shows, what it does not, and its scope."""

import itertools
from collections.abc import Sequence

from ftkeras.statistics.bootstrap import Tested
from ftkeras.statistics.comparison import (
    Run,
    fold_count,
    shared_divisions,
    shown_p,
    tested_difference,
)


def sentences(
    recipes: Sequence[Sequence[Run]], pairs: Sequence[dict], *, split: str, confidence: float
) -> list[str]:
    """Return the sentences that follow from the tested pairs.

    Args:
        recipes: the runs of each recipe, all on the same examples.
        pairs: as `comparison.compare` returns them.
        split: test or validation.
        confidence: 1 − the level that the p-values are compared with.
    """
    significant = [pair for pair in pairs if pair["p_value_holm"] < 1 - confidence]
    tested = recipes[0][0].predictions.tested
    conclusions = _winners(significant, tested)
    if others := [pair for pair in pairs if pair not in significant]:
        conclusions.append(_no_difference(others, len(pairs), tested))
    return [*conclusions, _scope(recipes, split), *_unlike_folds(recipes), _repetitions(recipes)]


def _winners(pairs: Sequence[dict], tested: Tested) -> list[str]:
    """Return one sentence for each recipe that is better than another."""
    beaten = {}
    for pair in pairs:
        better, worse = pair["second"], pair["first"]
        value, low, high = _shown(pair, tested)
        if (value < 0) != tested.lower_is_better:
            better, worse = worse, better
        if value < 0:
            value, low, high = -value, -high, -low
        p_value = shown_p(pair["p_value_holm"], sign=True)
        value, low, high = (f"{number:.{tested.decimals}f}" for number in (value, low, high))
        by = f"than {worse} by {value}{tested.unit} [{low}, {high}], {p_value}"
        beaten.setdefault(better, []).append(by)
    return [f"{better} {tested.better} {'; '.join(by)}." for better, by in beaten.items()]


def _shown(pair: dict, tested: Tested) -> list[float]:
    """Return the tested difference and both ends of its interval, as they are shown."""
    difference = tested_difference(pair, tested)
    return [tested.factor * difference[key] for key in ("value", "low", "high")]


def _no_difference(pairs: Sequence[dict], count: int, tested: Tested) -> str:
    """Return the sentence about the pairs, of `count` in total, without a significant result."""
    if count > 1:
        named = ", ".join(f"{pair['first']} and {pair['second']}" for pair in pairs)
        which = f"between {named}" if len(pairs) <= 3 else f"in the other {len(pairs)} pairs"
        which = "between any two" if len(pairs) == count else which
        return (
            f"No difference in {tested.name} is shown {which}. There may be one: the intervals say "
            "how large it could be."
        )
    value, least, most = _shown(pairs[0], tested)
    if value == least == most == 0:
        return (
            f"{pairs[0]['first']} and {pairs[0]['second']} have the same {tested.name} in every "
            "sample of these examples, so these can't tell how large a difference could be."
        )
    low, high = (f"{n:+.{tested.decimals}f}" for n in (least, most))
    p_value = pairs[0]["p_value_holm"]
    return (
        f"No difference in {tested.name} is shown between {pairs[0]['first']} and "
        f"{pairs[0]['second']} ({shown_p(p_value, sign=True)}). There may be one: the data are "
        f"consistent with {low} to {high}{tested.unit}."
    )


def _scope(recipes: Sequence[Sequence[Run]], split: str) -> str:
    examples = len(recipes[0][0].predictions.truth)
    counts = sorted({folds for runs in recipes if (folds := fold_count(runs[0])) is not None})
    if counts:
        trained_on = " or ".join(f"{folds - 1} of {folds}" for folds in counts)
        return (
            f"This concerns models trained on {trained_on} folds of these {examples:,} "
            "examples, each with its best epoch picked on the remaining fold; it says nothing "
            "about other data."
        )
    optimism = (
        ", which are optimistic because they also picked each run's best epoch,"
        if split == "validation"
        else ""
    )
    return (
        f"This concerns these {examples:,} {split} examples{optimism} and others drawn in the same "
        "way; it says nothing about other data."
    )


def _unlike_folds(recipes: Sequence[Sequence[Run]]) -> list[str]:
    """Return the sentence about cross-validations with different folds, if there are any."""
    first = recipes[0]
    if first[0].folds is None or all(shared_divisions(first, runs) for runs in recipes):
        return []
    counts = {fold_count(runs[0]) for runs in recipes}
    amounts = ", so they trained on different amounts of data" if len(counts) > 1 else ""
    return [
        f"Not all recipes were cross-validated with the same folds{amounts}; pairs with different "
        "ones are tested by the bootstrap, as the corrected t test needs the same ones."
    ]


def _repetitions(recipes: Sequence[Sequence[Run]]) -> str:
    """Return the sentence about the number of seeds, or of divisions into folds."""
    counts = [len(runs) for runs in recipes]
    cross_validated = recipes[0][0].folds is not None
    if max(counts) == 1 and cross_validated:
        return (
            "Each recipe was cross-validated once: other folds may reverse a close result, which "
            "more repeats would show."
        )
    if max(counts) == 1:
        return (
            "Each recipe was run with one seed: this compares these models, not the recipes; "
            "another seed may reverse it."
        )
    numbers = [_numbers(runs) for runs in recipes]
    draws = [" × ".join(f"{n} {kind}s" for kind, n in of.items()) for of in numbers]
    if len(draws) == 1:
        return (
            f"{draws[0]} of one recipe, so nothing is compared; the sd is between them, "
            "the intervals include the choice of examples as well."
        )
    if len(set(draws)) == 1:
        return f"{draws[0]} per recipe; the intervals include the spread between them."
    kinds = set(itertools.chain(*numbers))
    kind = kinds.pop() if len(kinds) == 1 else "run"
    sentence = f"{min(counts)} to {max(counts)} {kind}s per recipe; the intervals include the "
    only = f", except for a recipe with one {kind}" if min(counts) == 1 else ""
    return f"{sentence}spread between them{only}."


def _numbers(runs: Sequence[Run]) -> dict[str, int]:
    """Return how many seeds and repeats a recipe has, without those of which there is one."""
    repeats = len({run.repeat for run in runs})
    seeds, rest = divmod(len(runs), repeats)
    numbers = {"run": len(runs)} if rest else {"seed": seeds, "repeat": repeats}
    return {kind: number for kind, number in numbers.items() if number > 1}
