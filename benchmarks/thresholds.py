r"""Compare ways to tune the thresholds of several labels, on GoEmotions.

    python benchmarks/thresholds.py --data=goemotions --encoder=all-MiniLM-L6-v2 --out=/tmp/thr.npz

Needs transformers, PyTorch and scikit-learn. One logistic regression per label, on the mean token
states of the encoder, is trained on 900 or 5,400 texts. Its thresholds are tuned on samples of the
development file. The script prints micro and macro F1 on the 5,427 texts of test, the means over
five samples: with 0.5 for all labels; with each label's own best; with decisions about all labels
counting as so many positives (20 in ftkeras); and with one threshold for all labels. The states
are computed once, and kept in the file `--out`.
"""

import argparse
import pathlib

import numpy as np

from ftkeras.problems import _thresholds

LABELS, SAMPLES = 28, 5
OWN, ONE = 1e-9, 1e9


def main() -> None:
    """Print a row for each number of training and of development texts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    given = parser.parse_args()
    if not given.out.exists():
        np.savez(given.out, **_states(given.data, given.encoder))
    data, rng = np.load(given.out), np.random.default_rng(0)
    ways = {"0.5": None, "own": OWN, "5": 5, "10": 10, "20": 20, "40": 40, "one for all": ONE}
    print("trained  tuned on  " + "".join(f"{way:>13}" for way in ways))
    for trained in (900, 5400):
        to_tune, to_test = _probabilities(data, trained)
        for size in (100, 300, 1000, len(to_tune)):
            found = {way: [] for way in ways}
            for _ in range(SAMPLES if size < len(to_tune) else 1):
                chosen = rng.permutation(len(to_tune))[:size]
                for way, shared in ways.items():
                    thresholds = [0.5] * LABELS
                    if shared is not None:
                        _thresholds.SHARED = shared
                        thresholds = _thresholds.tune(data["VY"][chosen], to_tune[chosen])
                    found[way].append(_f1(data["TY"], to_test >= np.array(thresholds)))
            means = [np.mean(values, axis=0) for values in found.values()]
            cells = "".join(f"{micro:>7.3f} {macro:.3f}" for micro, macro in means)
            print(f"{trained:>7}  {size:>8}  {cells}", flush=True)


def _f1(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    right, either = (truth & predicted).sum(axis=0), truth.sum(axis=0) + predicted.sum(axis=0)
    return 2 * right.sum() / either.sum(), float(np.mean(2 * right / np.maximum(either, 1)))


def _probabilities(data, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return those of the development and of the test texts, [texts, labels]."""
    from sklearn.linear_model import LogisticRegression

    columns = []
    for label in range(LABELS):
        model = LogisticRegression(C=3, max_iter=300)
        model.fit(data["X"][:size], data["Y"][:size, label])
        columns.append([model.predict_proba(data[split])[:, 1] for split in "VT"])
    to_tune, to_test = (np.stack(columns_of, axis=1) for columns_of in zip(*columns, strict=True))
    return to_tune, to_test


def _states(folder: pathlib.Path, encoder: str) -> dict[str, np.ndarray]:
    """Return the states and labels of 6,000 training texts, and of development and test."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder)
    (texts, labels), tuned, tested = (_read(folder / f"{s}.tsv") for s in ("train", "dev", "test"))
    chosen = np.random.default_rng(0).permutation(len(texts))[:6000]

    def states(texts: list[str]) -> np.ndarray:
        order = np.argsort([len(text) for text in texts])
        found = np.zeros((len(texts), model.config.hidden_size), np.float32)
        for start in range(0, len(order), 128):
            rows = order[start : start + 128]
            batch = tokenizer(
                [texts[row] for row in rows],
                padding=True,
                truncation=True,
                max_length=64,
                return_tensors="pt",
            )
            with torch.no_grad():
                tokens = model(**batch).last_hidden_state
            mask = batch["attention_mask"][:, :, None]
            found[rows] = ((tokens * mask).sum(1) / mask.sum(1)).numpy()
        return found

    train = {"X": states([texts[n] for n in chosen]), "Y": labels[chosen]}
    return {**train, "V": states(tuned[0]), "VY": tuned[1], "T": states(tested[0]), "TY": tested[1]}


def _read(path: pathlib.Path) -> tuple[list[str], np.ndarray]:
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    labels = np.zeros((len(rows), LABELS), int)
    for number, (_, named, _) in enumerate(rows):
        labels[number, [int(label) for label in named.split(",")]] = 1
    return [text for text, *_ in rows], labels


if __name__ == "__main__":
    main()
