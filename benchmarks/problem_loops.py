r"""Fine-tune transformers' PyTorch models in a plain loop, as a reference for our problems.

    python benchmarks/problem_loops.py conll2003 --train SAMPLED/conll2003.txt \
        --dev conll2003/valid.txt --model all-MiniLM-L6-v2 --seed 1

Needs its own environment with transformers 5.24, torch 2.13, scikit-learn and SciPy. The training
files are written by `problem_subsets.py`. The settings are those of the runs in docs/problems.md:
batches of 16, padded, in random order; AdamW with weight decay 0.01, except for biases and
LayerNorm; 10 % warm-up and linear decay of the learning rate; clipping at 1.0; dropout 0.1. Each
epoch is evaluated on the whole development set, and the best one counts.

- conll2003: `BertForTokenClassification`, on the first piece of each word. The metric is the F1 of
  entities as seqeval computes it, without constraints on the tags.
- goemotions: `BertForSequenceClassification` with `multi_label_classification`. The metric is micro
  F1 at a threshold of 0.5. The bias starts from the share of each label, as ours does, unless
  --zero_bias is given.
- stsb: the same class with one output for standardized scores. The metric is Spearman's
  correlation.
"""

import argparse
import csv
import json
import pathlib
import re
import time

import numpy as np
import torch
import transformers
from scipy.stats import spearmanr
from sklearn.metrics import f1_score

LENGTH, BATCH, DECAY, WARMUP, CLIP, EMOTIONS = 128, 16, 0.01, 0.1, 1.0, 28
IGNORED = -100  # PyTorch's cross-entropy skips these labels
Row = tuple[list, object]  # the tokenizer's arguments, and the answer


def _read_conll(path: pathlib.Path) -> list[Row]:
    blocks = re.split(r"\n\s*\n", path.read_text(encoding="utf-8"))
    sentences = [
        [line.split() for line in block.strip().splitlines()]
        for block in blocks
        if block.strip() and not block.startswith("-DOCSTART-")
    ]
    return [([[line[0] for line in s]], [line[-1] for line in s]) for s in sentences]


def _read_goemotions(path: pathlib.Path) -> list[Row]:
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").strip().split("\n")]
    return [
        ([row[0]], np.isin(np.arange(EMOTIONS), [int(n) for n in row[1].split(",")]))
        for row in rows
    ]


def _read_stsb(path: pathlib.Path) -> list[Row]:
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [([row["sentence1"], row["sentence2"]], float(row["score"])) for row in rows]


READERS = {"conll2003": _read_conll, "goemotions": _read_goemotions, "stsb": _read_stsb}


def _entities(tags: list[str]) -> set[tuple[str, int, int]]:
    """Return (type, first, last) of each entity, as seqeval reads tags by default."""
    found, begun = set(), None
    for at, tag in enumerate([*tags, "O"]):
        if begun and (tag[0] != "I" or tag[2:] != begun[0]):
            found.add((*begun, at - 1))
            begun = None
        if tag != "O" and begun is None:
            begun = (tag[2:], at)
    return found


def _entity_f1(truth: list[list[str]], found: list[list[str]]) -> float:
    pairs = [(_entities(t), _entities(f)) for t, f in zip(truth, found, strict=True)]
    right, wanted, given = (
        sum(len(x) for x in part) for part in zip(*((t & f, t, f) for t, f in pairs), strict=True)
    )
    return 2 * right / (wanted + given)


def _groups(model: torch.nn.Module) -> list[dict]:
    spared = [p for n, p in model.named_parameters() if "bias" in n or "LayerNorm" in n]
    others = [p for n, p in model.named_parameters() if "bias" not in n and "LayerNorm" not in n]
    return [{"params": others, "weight_decay": DECAY}, {"params": spared, "weight_decay": 0.0}]


class Loop:
    """A model and its data."""

    def __init__(self, flags: argparse.Namespace):
        self.problem = flags.problem
        self.train, self.dev = (READERS[flags.problem](path) for path in (flags.train, flags.dev))
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(flags.model)
        if self.problem == "conll2003":
            self.names = sorted({tag for _, tags in self.train for tag in tags})
            self.model = transformers.AutoModelForTokenClassification.from_pretrained(
                flags.model, num_labels=len(self.names)
            )
        else:
            several = self.problem == "goemotions"
            self.model = transformers.AutoModelForSequenceClassification.from_pretrained(
                flags.model,
                num_labels=EMOTIONS if several else 1,
                problem_type="multi_label_classification" if several else "regression",
            )
        if self.problem == "goemotions" and not flags.zero_bias:
            positive = sum(row[1].astype(float) for row in self.train) + 0.5
            odds = torch.tensor(positive / (len(self.train) + 1 - positive))
            self.model.classifier.bias.data = torch.log(odds).float()
        if self.problem == "stsb":
            scores = np.array([score for _, score in self.train])
            self.mean, self.scale = scores.mean(), scores.std()

    def batch(self, rows: list[Row]) -> tuple[dict, list]:
        """Return tensors, and the number of the word that each token belongs to."""
        texts = zip(*(row[0] for row in rows), strict=True)
        inputs = self.tokenizer(
            *map(list, texts),
            is_split_into_words=self.problem == "conll2003",
            truncation=True,
            max_length=LENGTH,
            padding=True,
            return_tensors="pt",
        )
        return inputs, [inputs.word_ids(at) for at in range(len(rows))]

    def labels(self, rows: list[Row], words: list) -> torch.Tensor:
        if self.problem == "goemotions":
            return torch.tensor(np.array([row[1] for row in rows]), dtype=torch.float32)
        if self.problem == "stsb":
            scores = np.array([row[1] for row in rows])
            return torch.tensor((scores - self.mean) / self.scale, dtype=torch.float32)
        found = np.full((len(rows), max(map(len, words))), IGNORED)
        for number, (_, tags) in enumerate(rows):
            for at, word in enumerate(words[number]):
                if word is not None and word != words[number][at - 1]:
                    found[number, at] = self.names.index(tags[word])
        return torch.tensor(found)

    def measure(self) -> float:
        """Return the metric on the development set."""
        outputs, tags = [], []
        order = sorted(range(len(self.dev)), key=lambda at: -len(str(self.dev[at][0])))
        rows = [self.dev[at] for at in order]
        self.model.eval()
        for first in range(0, len(rows), 64):
            part = rows[first : first + 64]
            inputs, words = self.batch(part)
            with torch.no_grad():
                logits = self.model(**inputs).logits.numpy()
            outputs += list(logits)
            if self.problem == "conll2003":
                for row, best, ids in zip(part, logits.argmax(-1), words, strict=True):
                    found = ["O"] * len(row[1])  # what was cut off has no entity
                    for at, word in enumerate(ids):
                        if word is not None and word != ids[at - 1]:
                            found[word] = self.names[best[at]]
                    tags.append(found)
        if self.problem == "conll2003":
            return _entity_f1([row[1] for row in rows], tags)
        wanted, found = np.array([row[1] for row in rows]), np.array(outputs)
        if self.problem == "goemotions":
            return float(f1_score(wanted, found > 0, average="micro"))
        return float(spearmanr(wanted, found[:, 0])[0])

    def fit(self, epochs: int, learning_rate: float) -> list[float]:
        """Train, and return the metric after each epoch."""
        steps = epochs * -(-len(self.train) // BATCH)
        optimizer = torch.optim.AdamW(_groups(self.model), lr=learning_rate)
        schedule = transformers.get_linear_schedule_with_warmup(
            optimizer, round(WARMUP * steps), steps
        )
        measured = []
        for _ in range(epochs):
            self.model.train()
            order = np.random.permutation(len(self.train))
            for first in range(0, len(order), BATCH):
                rows = [self.train[at] for at in order[first : first + BATCH]]
                inputs, words = self.batch(rows)
                loss = self.model(**inputs, labels=self.labels(rows, words)).loss
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
                optimizer.step()
                schedule.step()
            measured.append(self.measure())
        return measured


def main() -> None:
    """Train, and print the metric of each epoch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problem", choices=READERS)
    for name in ("train", "dev", "model"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--learning_rate", type=float, default=1e-4)
    parser.add_argument("--zero_bias", action="store_true", help="as transformers starts it")
    flags = parser.parse_args()
    transformers.set_seed(flags.seed)
    began = time.perf_counter()
    measured = Loop(flags).fit(flags.epochs, flags.learning_rate)
    print(
        json.dumps(
            {
                "problem": flags.problem,
                "metric_of_each_epoch": [round(m, 4) for m in measured],
                "best": round(max(measured), 4),
                "seconds": round(time.perf_counter() - began),
            }
        )
    )


if __name__ == "__main__":
    main()
