"""Questions about reviews that a small model learns to answer."""

import json
import pathlib
import re

import ftkeras.corpora

REVIEWS = pathlib.Path(ftkeras.corpora.__file__).parent / "reviews" / "train.tsv"
# What is asked, and where the answer is.
ASKED = {"the what?": re.compile(r"\bthe (\w+)"), "why not?": re.compile(r"\b(not)\b")}


def questions(count: int) -> list[dict]:
    """Return questions as SQuAD has them, each with its context; some have no answer."""
    lines = REVIEWS.read_text(encoding="utf-8").splitlines()[1 : count + 1]
    found = []
    for number, line in enumerate(lines):
        context = line.split("\t")[0]
        asked = list(ASKED)[number % 2]
        matches = list(ASKED[asked].finditer(context))
        if len(matches) > 1:
            continue
        answers = [{"text": m[1], "answer_start": m.start(1)} for m in matches]
        found.append(
            {"context": context, "question": asked, "id": f"q{number}", "answers": answers}
        )
    return found


def write_squad(path: pathlib.Path, count: int, *, no_answer: bool = True) -> list[dict]:
    """Write questions about this many reviews in SQuAD's layout, and return them."""
    found = [row for row in questions(count) if no_answer or row["answers"]]
    paragraphs = [
        {"context": row["context"], "qas": [{k: row[k] for k in ("question", "id", "answers")}]}
        for row in found
    ]
    whole = {"version": "v2.0", "data": [{"title": "reviews", "paragraphs": paragraphs}]}
    path.write_text(json.dumps(whole), encoding="utf-8")
    return found
