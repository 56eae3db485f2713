"""The part about what the model remembers: whether its losses give away its training texts."""

from typing import Any

import numpy as np

from ftkeras.data.examples import Examples
from ftkeras.dossier.part import Part
from ftkeras.dossier.subject import Subject
from ftkeras.errors import UserError
from ftkeras.experiment import evaluation
from ftkeras.figures.parts import KeyNumber, KeyNumbers, Missing, Notice, Text
from ftkeras.figures.parts import Part as Shown
from ftkeras.statistics import membership

# Texts of each kind that are looked at, evenly spread over the split.
MOST = 2000
RATES = (0.001, 0.01)
METHOD = (
    "A text is taken for one of the training if the model's loss on it is small (Yeom et al., "
    "2018). The area under the curve is 0.5 if losses give nothing away. Stronger attacks train "
    "other models for comparison, and may succeed where this one fails. If the two splits are of "
    "different kinds of texts, that alone tells them apart."
)


def part(subject: Subject) -> Part:
    """Return the part about membership inference.

    Raises:
        UserError: if the data can't be read, the run kept no weights, or its problem has no loss
            for each text.
    """
    split = "test" if "test" in subject.examples else "validation"
    if split not in subject.examples:
        raise UserError("the run has no texts that it was not trained on")
    members = -losses(subject, spread(subject.examples["train"], MOST))
    others = -losses(subject, spread(subject.examples[split], MOST))
    area, low, high = membership.auc(members, others)
    rates = {f: membership.rate(members, others, f) for f in RATES}
    found: dict[str, Any] = {
        "attack": "loss threshold",
        "members": len(members),
        "others": len(others),
        "others_of": split,
        "auc": area,
        "auc_interval": [low, high],
        "true_positive_rates": [vars(rate) for rate in rates.values() if rate is not None],
        "mean_loss": {"train": float(-members.mean()), split: float(-others.mean())},
    }
    shown = [_verdict(found), _tiles(found), *_too_few(rates, len(others)), Text(METHOD)]
    return Part("memorization", "Memorization", {"membership": found}, shown)


def spread(examples: Examples, most: int) -> Examples:
    """Return at most so many examples, evenly spread over a split."""
    if len(examples) <= most:
        return examples
    return examples.select(np.linspace(0, len(examples) - 1, most).round().astype(int))


def losses(subject: Subject, examples: Examples) -> np.ndarray:
    """Return the model's loss on each example, [examples].

    Raises:
        UserError: if the problem has no loss for each text.
    """
    trained = subject.trained
    logits = evaluation.predict_logits(trained, examples)
    problem = subject.view.problem
    if problem.reads not in ("texts", "options") or len(logits) != len(examples):
        raise UserError(f"a {problem.kind} has no loss for each text alone")
    values = np.asarray(trained.model.loss.call(examples.targets, logits), float)
    return values.reshape(len(examples), -1).mean(axis=1)


def _verdict(found: dict[str, Any]) -> Notice:
    low, high = found["auc_interval"]
    about = f"area under the curve {found['auc']:.3f}, 95 % interval {low:.3f} to {high:.3f}"
    if low > 0.5:
        return Notice(f"The model's losses give away texts that it was trained on: {about}.")
    return Notice(f"The model's losses are not shown to give away training texts: {about}.", "good")


def _tiles(found: dict[str, Any]) -> KeyNumbers:
    low, high = found["auc_interval"]
    tiles = [KeyNumber("Area under the curve", f"{found['auc']:.3f}", f"{low:.3f} to {high:.3f}")]
    for one in found["true_positive_rates"]:
        label = f"Recognized at {one['false_positives']:.1%} false positives"
        note = f"95 % interval {one['low']:.1%} to {one['high']:.1%}"
        tiles.append(KeyNumber(label, f"{one['value']:.1%}", note))
    for split, loss in found["mean_loss"].items():
        tiles.append(KeyNumber(f"Mean loss on {split}", f"{loss:.3f}"))
    return KeyNumbers(tiles)


def _too_few(rates: dict[float, membership.Rate | None], others: int) -> list[Shown]:
    lacking = [share for share, found in rates.items() if found is None]
    return [
        Missing(
            f"Recognized at {share:.1%} false positives",
            f"it needs {round(1 / share):,} texts that were not trained on; there are {others:,}.",
        )
        for share in lacking
    ]
