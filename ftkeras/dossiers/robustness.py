"""The part about robustness: how much worse the model is on texts that are slightly changed."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ftkeras.dossiers import asking, counterfactuals, substitutions
from ftkeras.dossiers.counterfactuals import Exchange
from ftkeras.dossiers.memorization import spread
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.perturbations import CHANGES, negation
from ftkeras.dossiers.subject import Subject
from ftkeras.figures.parts import Column, Facts, Notice, Table
from ftkeras.figures.parts import Part as Shown
from ftkeras.pages.metric_names import title, words
from ftkeras.statistics import paired

MOST = 500
SEED = 0
REWRITTEN = (
    "Texts that have such a word, up to 200. A synonym ought to change few answers, and a negation "
    "many, but what is right is not known, so these are no errors. The lists of words are ours."
)


def part(subject: Subject) -> Part:
    """Return the part about changed texts.

    Raises:
        UserError: if the data can't be read, the run kept no weights, its problem answers words
            rather than texts, whose places a change would move, or the split has fewer than two
            texts.
    """
    view = subject.view
    asking.require_whole_texts(subject)
    examples = spread(subject.examples[view.split], MOST)
    asking.require_several(examples)
    texts = subject.raw_texts(examples)
    versions = {"unchanged": texts, **{name: _changed(name, texts) for name in CHANGES}}
    versions["empty"] = [dict.fromkeys(one, "") for one in texts[:1]]
    answers = asking.answers(subject, list(versions.values()), examples.targets)
    answered = dict(zip(versions, answers, strict=True))
    predictions = {name: view.problem.predictions(answered[name].rows) for name in versions}
    scores = {name: np.asarray(one.scores, float) for name, one in predictions.items()}
    tested = view.predictions.tested
    rows = []
    for name in CHANGES:
        better, worse = scores["unchanged"], scores[name]
        if tested.lower_is_better:
            better, worse = worse, better
        is_same = answered[name].tokens == answered["unchanged"].tokens
        lost = paired.Mean(0.0, None, None) if is_same else paired.difference(better, worse)
        score = float(scores[name].mean())
        rows.append({"change": name, "same_tokens": is_same, "score": score, **vars(lost)})
    data = {
        "split": view.split,
        "examples": len(examples),
        "metric": tested.name,
        "unchanged": float(scores["unchanged"].mean()),
        "changes": rows,
        "rewritten": counterfactuals.changes(subject, _rewritten()),
        "empty_text": asking.without_truth(subject, answered["empty"].rows[0]),
    }
    return Part("robustness", "Robustness", data, _shown(data))


def _rewritten() -> list[Exchange]:
    """Return synonyms, which ought to change few answers, and negation, which changes many."""
    synonyms = substitutions.dimensions("synonyms.yaml")["synonym"]
    negated = Exchange(
        "negation", ("as it is", "negated"), lambda text, n: negation(text) if n else text
    )
    return [Exchange.of(synonyms), negated]


def _changed(name: str, texts: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    rng = np.random.default_rng(SEED)
    return [{key: CHANGES[name](text, rng) for key, text in one.items()} for one in texts]


def _shown(data: dict[str, Any]) -> list[Shown]:
    metric = data["metric"]
    columns: list[str | Column] = [
        "change",
        Column(title(metric)),
        Column("worse by", "{:+.3f}", "than on the same texts unchanged"),
        Column("95 % interval, from", "{:+.3f}"),
        Column("to", "{:+.3f}"),
    ]
    rows = [
        [one["change"].replace("_", " "), one["score"], one["value"], one["low"], one["high"]]
        for one in data["changes"]
    ]
    note = (
        f"{data['examples']:,} texts of {data['split']}, whose {words(metric)} is "
        f"{data['unchanged']:.3f} unchanged. The interval of the paired differences is Newcombe's "
        "of right and wrong answers, else Student's; equal differences have none."
    )
    if same := _named(one for one in data["changes"] if one["same_tokens"]):
        note += f" With {same}, the model reads the same tokens."
    worse = [one for one in data["changes"] if (one["low"] or 0) > 0]
    text = (
        f"Worse with {_named(worse)}." if worse else "No change is shown to make the model worse."
    )
    empty = ", ".join(f"{name} {value}" for name, value in data["empty_text"].items())
    return [
        Notice(text, "warning" if worse else "good"),
        Table("changes", "Changed texts", columns, rows, note),
        *_rewritten_table(data["rewritten"]),
        Facts({"Answer to an empty text": empty}),
    ]


def _named(changes: Iterable[dict[str, Any]]) -> str:
    return ", ".join(one["change"].replace("_", " ") for one in changes)


def _rewritten_table(rewritten: Sequence[dict[str, Any]]) -> list[Shown]:
    """Return a table of the shares of answers that change; none if answers are numbers."""
    if not any("share" in one for one in rewritten):
        return []
    columns: list[str | Column] = [
        *("rewritten by", "texts"),
        Column("answers that change", "{:.1%}"),
        Column("95 % interval, from", "{:.1%}"),
        Column("to", "{:.1%}"),
    ]
    shares = ("share", "low", "high")
    rows = [[one["name"], one["texts"], *map(one.get, shares)] for one in rewritten]
    return [Table("rewritten", "Rewritten texts", columns, rows, REWRITTEN)]
