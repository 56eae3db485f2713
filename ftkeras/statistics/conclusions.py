"""The conclusions of a comparison as sentences: what it shows, what it does not, and its scope."""

from collections.abc import Sequence

from ftkeras.statistics.bootstrap import Tested
from ftkeras.statistics.comparison import Run, fold_count, shown_p, tested_difference


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
    return [*conclusions, _scope(recipes[0][0], split), _repetitions(recipes)]


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


def _scope(run: Run, split: str) -> str:
    examples, folds = len(run.predictions.truth), fold_count(run)
    if folds is not None:
        return (
            f"This concerns models trained on {folds - 1} of {folds} folds of these {examples:,} "
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
    kind = "repeat" if cross_validated else "seed"
    if len(counts) == 1:
        return (
            f"{counts[0]} {kind}s of one recipe, so nothing is compared; the sd is between them, "
            "the intervals include the choice of examples as well."
        )
    if min(counts) == max(counts):
        return f"{counts[0]} {kind}s per recipe; the intervals include the spread between them."
    sentence = f"{min(counts)} to {max(counts)} {kind}s per recipe; the intervals include the "
    only = f", except for a recipe with one {kind}" if min(counts) == 1 else ""
    return f"{sentence}spread between them{only}."
