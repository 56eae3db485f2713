"""Write squad.json: answers and what SQuAD's official script makes of them.

    python tests/problems/make_squad.py evaluate-v2.0.py

The script is https://rajpurkar.github.io/SQuAD-explorer, "Evaluation Script v2.0".
"""

import importlib.util
import json
import pathlib
import sys

import numpy as np

WORDS = ["the", "a", "An", "U.S.", "us", "Paris", "paris,", "—", "''", "in", "1969", "é", "  "]
OUT = pathlib.Path(__file__).with_name("squad.json")


def main(path: str) -> None:
    """Write 30 files of 12 questions each."""
    spec = importlib.util.spec_from_file_location("official", path)
    official = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(official)
    rng = np.random.default_rng(7)

    def text(longest):
        return " ".join(rng.choice(WORDS, rng.integers(0, longest + 1)))

    cases = []
    for _ in range(30):
        truth = [[text(4) for _ in range(rng.integers(0, 4))] for _ in range(12)]
        found = [
            str(rng.choice(answers)) if answers and rng.random() < 0.4 else text(4)
            for answers in truth
        ]
        null = [round(float(v), 3) for v in rng.normal(size=12)]
        names = [str(n) for n in range(12)]
        entries = [
            {"id": name, "answers": [{"text": answer} for answer in answers]}
            for name, answers in zip(names, truth, strict=True)
        ]
        has_answer = {name: bool(answers) for name, answers in zip(names, truth, strict=True)}
        predicted = dict(zip(names, found, strict=True))
        exact, f1 = official.get_raw_scores([{"paragraphs": [{"qas": entries}]}], predicted)
        odds = dict(zip(names, null, strict=True))
        best = {
            name: official.find_best_thresh(predicted, scores, odds, has_answer)
            for name, scores in (("exact", exact), ("f1", f1))
        }
        cases.append(
            {
                **{"truth": truth, "found": found, "null": null, "best": best},
                **{"exact": [exact[n] for n in names], "f1": [f1[n] for n in names]},
            }
        )
    OUT.write_text(json.dumps(cases, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
