"""The part about what the model remembers: whether it gives away its training texts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.data.examples import Examples
from ftkeras.dossiers import asking, shadow_runs
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.errors import UserError
from ftkeras.figures.parts import Heading, KeyNumber, KeyNumbers, Missing, Notice, Text
from ftkeras.figures.parts import Part as Shown
from ftkeras.statistics import membership
from ftkeras.statistics.exposure import exposure

# Texts of each kind that are looked at, evenly spread over the split.
MOST = 2000
RATES = (0.001, 0.01)
OF_LOSSES = (
    "A text is taken for one of the training if the model's loss on it is small (Yeom et al., "
    "2018). The area under the curve is 0.5 if losses give nothing away. Stronger attacks train "
    "other models for comparison (--shadow_runs), and may succeed where this one fails. If the two "
    "splits are of different kinds of texts, that alone tells them apart."
)
OF_RATIOS = (
    "A text is taken for one of the training if the model's confidence in its answer fits the "
    "models that were trained on it better than those that were not (LiRA, Carlini et al., 2022). "
    "Each of these models was trained as this one, on a random half of the texts in question."
)
OF_CANARIES = (
    "The exposure of a planted text is log2(candidates + 1) - log2(rank), with the rank of the "
    "model's loss on it among random texts that could have been planted as well (Carlini et al., "
    "2019)."
)
WITHOUT_UNLABELLED = (
    "Only texts with labels are attacked: those of --unlabelled have no answer that a loss could "
    "compare. What the model remembers of them is not known."
)


def part(subject: Subject) -> Part:
    """Return the part about membership inference and planted texts.

    Raises:
        UserError: if the data can't be read, the run kept no weights, its problem has no loss for
            each text, or fewer than two texts were not trained on.
    """
    split = "test" if "test" in subject.examples else "validation"
    if split not in subject.examples:
        raise UserError("the run has no texts that it was not trained on")
    train, held_out = subject.examples["train"], subject.examples[split]
    asking.require_several(held_out)
    members, others = (
        -shadow_runs.losses(subject.trained, spread(examples, MOST))
        for examples in (train, held_out)
    )
    means = {"train": float(-members.mean()), split: float(-others.mean())}
    attack = {"others_of": split, **_attack("loss threshold", members, others), "mean_loss": means}
    data: dict[str, Any] = {"membership": attack}
    shown = [_verdict(attack, "losses"), _tiles(attack), *_too_few(len(others)), Text(OF_LOSSES)]
    if subject.config.unlabelled:
        shown.append(Text(WITHOUT_UNLABELLED))
    if subject.shadow_runs:
        data["likelihood_ratios"] = ratios = _ratios(subject, train, held_out)
        shown += [Heading("Against shadow models"), _verdict(ratios, "answers"), _tiles(ratios)]
        shown += [*_too_few(ratios["others"]), Text(OF_RATIOS)]
    if subject.config.canaries:
        data["canaries"] = planted = _canaries(subject)
        shown += [Heading("Planted texts"), *_of_canaries(planted), Text(OF_CANARIES)]
    return Part("memorization", "Memorization", data, shown)


def spread(examples: Examples, most: int) -> Examples:
    """Return at most so many examples, evenly spread over a split."""
    if len(examples) <= most:
        return examples
    return examples.select(np.linspace(0, len(examples) - 1, most).round().astype(int))


def _attack(name: str, members: np.ndarray, others: np.ndarray) -> dict[str, Any]:
    """Return how well numbers tell members from others."""
    area, low, high = membership.auc(members, others)
    rates = (membership.rate(members, others, share) for share in RATES)
    return {
        "attack": name,
        "members": len(members),
        "others": len(others),
        "auc": area,
        "auc_interval": [low, high],
        "true_positive_rates": [vars(rate) for rate in rates if rate is not None],
    }


def _ratios(subject: Subject, train: Examples, held_out: Examples) -> dict[str, Any]:
    most = min(MOST, len(train), len(held_out))
    members, others = (spread(examples, most) for examples in (train, held_out))
    scores = shadow_runs.scores(subject, members, others)
    return {**_attack("likelihood ratio", *scores), "shadow_runs": subject.shadow_runs}


def _canaries(subject: Subject) -> dict[str, Any]:
    planted, candidates = (
        shadow_runs.losses(subject.trained, examples) for examples in subject.splits.canaries()
    )
    exposed = exposure(planted, candidates)
    values = {name: value for name, value in vars(exposed).items() if name != "each"}
    return {
        "planted": len(planted),
        "candidates": len(candidates),
        **values,
        "auc_interval": list(exposed.auc_interval),
        "exposures": [round(float(bits), 3) for bits in exposed.each],
    }


def _verdict(attack: Mapping[str, Any], what: str) -> Notice:
    low, high = attack["auc_interval"]
    about = f"area under the curve {attack['auc']:.3f}, 95 % interval {low:.3f} to {high:.3f}"
    if low > 0.5:
        return Notice(f"The model's {what} give away texts that it was trained on: {about}.")
    return Notice(f"The model's {what} are not shown to give away training texts: {about}.", "good")


def _of_canaries(canaries: Mapping[str, Any]) -> Sequence[Shown]:
    low, high = canaries["auc_interval"]
    about = (
        f"the {canaries['planted']} of them have an exposure of {canaries['mean']:.2f} bits in the "
        f"mean; {canaries['without']:.2f} would be without any memory of them"
    )
    knows = low > 0.5
    said = (
        "The model knows planted texts" if knows else "The model is not shown to know planted texts"
    )
    notice = Notice(f"{said}: {about}.", "warning" if knows else "good")
    most = f"of {canaries['bound']:.2f} at most"
    tiles = [
        KeyNumber("Mean exposure", f"{canaries['mean']:.2f} bits", most),
        KeyNumber("Largest exposure", f"{canaries['largest']:.2f} bits"),
        KeyNumber("Area under the curve", f"{canaries['auc']:.3f}", f"{low:.3f} to {high:.3f}"),
    ]
    return [notice, KeyNumbers(tiles)]


def _tiles(attack: Mapping[str, Any]) -> KeyNumbers:
    low, high = attack["auc_interval"]
    tiles = [KeyNumber("Area under the curve", f"{attack['auc']:.3f}", f"{low:.3f} to {high:.3f}")]
    for one in attack["true_positive_rates"]:
        label = f"Recognized at {one['false_positives']:.1%} false positives"
        note = f"95 % interval {one['low']:.1%} to {one['high']:.1%}"
        tiles.append(KeyNumber(label, f"{one['value']:.1%}", note))
    for split, loss in attack.get("mean_loss", {}).items():
        tiles.append(KeyNumber(f"Mean loss on {split}", f"{loss:.3f}"))
    return KeyNumbers(tiles)


def _too_few(others: int) -> list[Shown]:
    return [
        Missing(
            f"Recognized at {share:.1%} false positives",
            f"it needs {round(1 / share):,} texts that were not trained on; there are {others:,}.",
        )
        for share in RATES
        if others * share < membership.LEAST_FALSE_POSITIVES
    ]
