"""Write seqeval.json: metrics of random tags by the strict mode of the package seqeval."""

import json
import pathlib
import random

CASES = 200
RNG = random.Random(0)


def _tags(types: list[str], length: int) -> list[str]:
    """Return random tags that BIO allows."""
    found, before = [], "O"
    for _ in range(length):
        choices = ["O", *(f"B-{kind}" for kind in types)]
        if before != "O":
            choices += [f"I-{before[2:]}"] * 3
        before = RNG.choice(choices)
        found.append(before)
    return found


def _corrupted(sentence: list[str], types: list[str]) -> list[str]:
    """Return the tags, or in half of the cases other ones."""
    return sentence if RNG.random() < 0.5 else _tags(types, len(sentence))


def main() -> None:
    """Write the cases."""
    from seqeval.metrics import accuracy_score, classification_report
    from seqeval.scheme import IOB2

    cases = []
    while len(cases) < CASES:
        types = ["LOC", "ORG", "PER"][: RNG.randint(1, 3)]
        truth = [_tags(types, RNG.randint(1, 8)) for _ in range(RNG.randint(1, 5))]
        predicted = [_corrupted(sentence, types) for sentence in truth]
        if not any(tag != "O" for sentence in (*truth, *predicted) for tag in sentence):
            continue  # seqeval fails if there is no entity at all
        report = classification_report(
            truth, predicted, mode="strict", scheme=IOB2, output_dict=True, zero_division=0
        )
        names = {"precision": "precision", "recall": "recall", "f1-score": "f1"}
        rows = {
            kind: {ours: float(row[theirs]) for theirs, ours in names.items()}
            | {"support": int(row["support"])}
            for kind, row in report.items()
        }
        total = rows["micro avg"]
        del total["support"]
        per_type = {kind: row for kind, row in rows.items() if kind in types}
        cases.append(
            {"types": types, "truth": truth, "predicted": predicted, "per_type": per_type}
            | total
            | {"accuracy": accuracy_score(truth, predicted)}
        )
    path = pathlib.Path(__file__).with_name("seqeval.json")
    path.write_text(json.dumps(cases) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
