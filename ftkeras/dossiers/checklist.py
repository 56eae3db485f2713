"""The part that says which clauses are shown, stated or missing."""

from collections.abc import Sequence
from typing import Any

from ftkeras.dossiers.clauses import MISSING, SHOWN, STATED, Answer, Clauses
from ftkeras.dossiers.part import Part
from ftkeras.figures.parts import Heading, KeyNumber, KeyNumbers, Notice, Table, Text
from ftkeras.figures.parts import Part as Page

DISCLAIMER = (
    "This is an aid and not legal advice. It lists what was measured and what people state. It "
    "does not judge whether that is true, enough, or what a law requires of this model."
)
MOST_NAMED = 3
# The keys of checklist.json beside the names of the lists.
OWN_KEYS = ("disclaimer", "required")


def part(answered: Sequence[tuple[Clauses, Sequence[Answer]]], required: Sequence[str]) -> Part:
    """Return the checklist.

    Args:
        answered: lists of clauses, with the answer to each clause.
        required: the names of the lists in which nothing may be missing.
    """
    shown: list[Page] = [Notice(DISCLAIMER, "info"), *_verdict(answered, required)]
    for clauses, answers in answered:
        shown += [Heading(clauses.title), _counts(answers), _table(clauses, answers)]
    lists: dict[str, Any] = {
        clauses.name: {
            "title": clauses.title,
            "source": clauses.source,
            "clauses": [
                {
                    "id": one.clause.id,
                    "asks": one.clause.asks,
                    "status": one.status,
                    "by": list(one.by),
                    "lacks": list(one.lacks),
                }
                for one in answers
            ],
        }
        for clauses, answers in answered
    }
    data = dict(zip(OWN_KEYS, (DISCLAIMER, list(required)), strict=True)) | lists
    return Part("checklist", "Checklist", data, shown)


def shortfall(answered: Sequence[tuple[Clauses, Sequence[Answer]]], required: Sequence[str]) -> str:
    """Return which required clauses are missing, how many and the first ones; "" if none."""
    missing = [
        f"{clauses.name} {one.clause.id} ({', '.join(one.lacks)})"
        for clauses, answers in answered
        if clauses.name in required
        for one in answers
        if one.status == MISSING
    ]
    if not missing:
        return ""
    more = f"; and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    are = "clause is" if len(missing) == 1 else "clauses are"
    return f"{len(missing)} required {are} missing: {'; '.join(missing[:MOST_NAMED])}{more}"


def _verdict(
    answered: Sequence[tuple[Clauses, Sequence[Answer]]], required: Sequence[str]
) -> list[Page]:
    if not required:
        return [
            Text(
                "No clause was required. With --require=… the exit code is 3 while one is missing."
            )
        ]
    if lacks := shortfall(answered, required):
        return [Notice(f"{lacks}.", "error")]
    return [Notice(f"No clause of {', '.join(required)} is missing.", "good")]


def _counts(answers: Sequence[Answer]) -> KeyNumbers:
    about = {SHOWN: "by files", STATED: "by a person", MISSING: "not answered in full"}
    counts = {status: sum(one.status == status for one in answers) for status in about}
    return KeyNumbers(
        [KeyNumber(status.capitalize(), str(counts[status]), about[status]) for status in about]
    )


def _table(clauses: Clauses, answers: Sequence[Answer]) -> Table:
    rows = [
        [
            one.clause.id,
            one.clause.asks,
            one.status,
            "; ".join(one.by) or "–",
            "; ".join(one.lacks) or "–",
        ]
        for one in answers
    ]
    columns = ["clause", "asks for", "status", "by", "lacks"]
    note = f"Paraphrased. Source: {clauses.source}."
    return Table(f"clauses_{clauses.name}", "Clauses", columns, rows, note)
