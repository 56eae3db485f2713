"""The part about differential privacy: what the training guarantees, and what it does not."""

from typing import Any

from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.figures.parts import Facts, Missing, Notice, Text
from ftkeras.privacy import in_words

TITLE = "Differential privacy"
METHOD = (
    "Two training sets that differ in one example, which one of them lacks, lead to nearly the "
    "same distribution of weights: no probability differs by more than a factor of e to the "
    "epsilon, plus delta. The guarantee holds for one example; that of a person who wrote several "
    "is weaker. It covers the weights and what is computed from them. It does not cover the number "
    "of examples, the names of the labels, the choice of settings by earlier runs, and the "
    "validation and test texts."
)


def part(subject: Subject) -> Part:
    """Return the part about differential privacy."""
    report: dict[str, Any] | None = subject.view.metrics.get("privacy")
    if report is None:
        reason = "the run was not private; train --private=dp_sgd(epsilon=8, delta=1e-5) would be."
        return Part("privacy", TITLE, {"guarantee": None}, [Missing(TITLE, reason)])
    holds = report["secret"] and report["epsilon"] is not None
    facts = {
        "Guarantee": f"epsilon {_number(report['epsilon'])} at delta {report['delta']:g}",
        "Accountant": f"{report['accountant']}, {report['accounted_by']}",
        "By Rényi accounting": f"epsilon {_number(report['epsilon_rdp'])}",
        "Noise": f"{report['noise']:.4g} times the clip of {report['clip']:g}",
        "Sampling": f"each of {report['examples']:,} examples with probability "
        f"{report['sampling_rate']:.3g} in each of {report['steps']:,} steps",
        "Validation split": "stated to be public" if report["public_validation"] else "not used",
    }
    shown = [Notice(in_words(report), "good" if holds else "warning"), Facts(facts), Text(METHOD)]
    return Part("privacy", TITLE, {"guarantee": report if holds else None, "run": report}, shown)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"
