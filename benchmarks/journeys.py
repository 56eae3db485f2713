r"""Execute the code of a library in benchmarks/journeys, and measure its models on the same texts.

    python benchmarks/journeys.py trainer --python=/envs/trainer/bin/python \
        --encoder=../shared/data/models/all-MiniLM-L6-v2 --shared=../shared/data --out=/tmp/journeys

Without `--python`, this interpreter is used. The environments need

- `ours`: ftkeras
- `trainer`: `pip install torch transformers accelerate datasets peft scikit-learn`
- `setfit`: `pip install torch setfit`
- `simpletransformers`: `pip install torch simpletransformers`
- `kerashub`: `pip install tensorflow keras-hub pandas scikit-learn`
- `autogluon`: `pip install autogluon.multimodal`
- `ktrain`: `pip install ktrain tensorflow tf_keras`

Each journey runs as a script of its own in an empty folder with the file that it reads: reviews.csv
(1,000 phrases of SST-2), feedback.csv (1,000 texts of GoEmotions, labelled with the sentiments of
their emotions) or ratings.csv (1,000 pairs of STS-B, each written as one text). Its model then
answers the same texts as those of the other libraries: SST-2's 872 development sentences, the first
1,000 test texts of GoEmotions, or STS-B's 1,500 development pairs. `--samples 0 1 2` repeats this
with other training texts.

All libraries compute on one thread of the CPU. The seconds are those of a journey, from its imports
to its last line, without the answers. If other programs use the machine, rely on the CPU seconds,
and even these are only about right. Results are appended to `--out`/results.jsonl.
"""

import argparse
import csv
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable

Row = tuple[str, str | float]

FOLDER = pathlib.Path(__file__).parent / "journeys"
PREDICT = "predict"  # is run after "a label", on the model that this saves
# The table that a journey reads, and how its answers are measured.
READS = {"a label": "reviews", "several labels": "feedback", "a number": "ratings"}
READS["LoRA"] = "reviews"
MEASURED = 1000  # of the texts of GoEmotions
# The groups of its 28 emotions in the paper; all others are positive.
GROUPS = {
    "negative": "fear nervousness remorse embarrassment disappointment sadness grief disgust anger "
    "annoyance disapproval",
    "ambiguous": "realization surprise curiosity confusion",
    "neutral": "neutral",
}
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
SCRIPT = """\
import json, os, time
began, ENCODER = time.time(), {encoder!r}
{code}
measured = {{"seconds": time.time() - began, "cpu_seconds": sum(os.times()[:4])}}
with open("texts.json") as stream:
    texts = json.load(stream)
{answering}
with open("answers.json", "w") as stream:
    json.dump({{**measured, "answers": answers}}, stream)
"""
VERSIONS = """\
import importlib.metadata, json
print(json.dumps({one.name: one.version for one in importlib.metadata.distributions()}))
"""
PACKAGES = (
    *("ftkeras", "tensorflow", "keras", "keras-hub", "tf_keras", "ktrain"),
    *("torch", "transformers", "accelerate", "datasets", "peft", "sentence-transformers", "setfit"),
    *("simpletransformers", "autogluon.multimodal"),
)


def cells(library: str) -> dict[str, str]:
    """Return the code of each journey, and that of its model's answers as `answers: NAME`."""
    text = (FOLDER / f"{library}.py").read_text(encoding="utf-8")
    titles = [*READS, PREDICT, *(f"answers: {name}" for name in READS)]
    found = {}
    for part in text.split("# %% ")[1:]:
        title, _, code = part.partition("\n")
        found[next(name for name in titles if title.startswith(name))] = code
    return found


def accuracy(answers: list[str], labels: list[str]) -> float:
    """Return the share of the answers that are the label."""
    return statistics.mean(one == other for one, other in zip(answers, labels, strict=True))


def micro_f1(answers: list[list[str]], labels: list[str]) -> float:
    """Return the F1 of all decisions on labels; the labels of a text are separated by commas."""
    pairs = [(set(one), set(other.split(","))) for one, other in zip(answers, labels, strict=True)]
    right = sum(len(one & other) for one, other in pairs)
    return 2 * right / sum(len(one) + len(other) for one, other in pairs)


def macro_f1(answers: list[list[str]], labels: list[str]) -> float:
    """Return the mean over labels of the F1 of the decisions on each."""
    truth = [set(other.split(",")) for other in labels]
    found = []
    for label in set().union(*truth):
        pairs = [(label in one, label in other) for one, other in zip(answers, truth, strict=True)]
        right = sum(one and other for one, other in pairs)
        found.append(2 * right / sum(one + other for one, other in pairs))
    return statistics.mean(found)


def spearman(answers: list[float], numbers: list[float]) -> float:
    """Return the rank correlation of the answers with the numbers."""
    from scipy.stats import spearmanr

    return spearmanr(answers, numbers).statistic


# The column of the answers in each table, and how they are measured.
MEASURES: dict[str, tuple[str, tuple[Callable, ...]]] = {
    "reviews": ("label", (accuracy,)),
    "feedback": ("topics", (micro_f1, macro_f1)),
    "ratings": ("stars", (spearman,)),
}


def rows_of(shared: pathlib.Path, table: str, part: str) -> list[Row]:
    """Return texts and answers of a part of the public data that a table is taken from."""
    folder = shared / {"reviews": "sst2", "feedback": "goemotions", "ratings": "stsb"}[table]
    with open(folder / f"{part}.tsv", encoding="utf-8") as stream:
        if table == "feedback":
            names = (folder / "labels.txt").read_text().split()
            sentiments = {name: group for group in GROUPS for name in GROUPS[group].split()}
            groups = [sentiments.get(name, "positive") for name in names]
            rows = [line.rstrip("\n").split("\t")[:2] for line in stream]
            return [
                (text, ",".join(sorted({groups[int(number)] for number in numbers.split(",")})))
                for text, numbers in rows
            ]
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        if table == "reviews":
            names = ("negative", "positive")
            return [(row["sentence"].strip(), names[int(row["label"])]) for row in rows]
        return [(f"{row['sentence1']} | {row['sentence2']}", float(row["score"])) for row in rows]


def parts(shared: pathlib.Path, table: str, count: int, sample: int) -> tuple[list[Row], list[Row]]:
    """Return `count` rows to train on, which `sample` selects, and those to measure on."""
    held_out = {"reviews": "dev", "feedback": "test", "ratings": "dev"}[table]
    train = random.Random(sample).sample(rows_of(shared, table, "train"), count)
    return train, rows_of(shared, table, held_out)[: MEASURED if table == "feedback" else None]


def run(library: str, journey: str, python: str, encoder: str, folder: pathlib.Path, rows) -> dict:
    """Execute a journey in `folder`, and measure its model.

    Args:
        library: the name of a file in benchmarks/journeys.
        journey: its journey; after "a label", also "predict" is executed.
        python: the interpreter of its environment.
        encoder: what replaces ENCODER.
        folder: is emptied first.
        rows: the rows to train on, and those to measure on.

    Returns:
        The scores by name, `seconds` and `cpu_seconds`; or `failed`, the script's last message.
    """
    code, (train, test) = cells(library), rows
    column, measures = MEASURES[READS[journey]]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open(folder / f"{READS[journey]}.csv", "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("text", column), *train])
    (folder / "texts.json").write_text(json.dumps([text for text, _ in test]))
    answering = code[f"answers: {journey}"]
    script = SCRIPT.format(encoder=encoder, code=code[journey], answering=answering)
    failed = execute(python, folder, journey, script)
    if not failed and journey == "a label":
        failed = execute(python, folder, PREDICT, code[PREDICT])
    if failed:
        return {"failed": failed}
    measured = json.loads((folder / "answers.json").read_text())
    answers, truth = measured.pop("answers"), [answer for _, answer in test]
    return {**{measure.__name__: measure(answers, truth) for measure in measures}, **measured}


def execute(python: str, folder: pathlib.Path, journey: str, script: str) -> str:
    """Execute a script in `folder`; return its last message if it fails."""
    path = folder / f"{journey.replace(' ', '_')}.py"
    path.write_text(script, encoding="utf-8")
    environment = {**os.environ, **ENVIRONMENT, **dict.fromkeys(THREADS, "1")}
    log = path.with_suffix(".log")
    with open(log, "w") as stream:
        asked = {"cwd": folder, "env": environment, "stdout": stream, "stderr": stream}
        if not subprocess.run([python, path.name], **asked).returncode:
            return ""
    return f"{journey}: {log.read_text(errors='replace').strip().splitlines()[-1]}"


def versions(python: str) -> dict[str, str]:
    """Return the versions of the packages in an environment that matter here."""
    found = json.loads(subprocess.check_output([python, "-c", VERSIONS], text=True))
    return {name: found[name] for name in PACKAGES if name in found}


def main() -> None:
    """Execute the journeys of a library, and print their results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("library", choices=sorted(path.stem for path in FOLDER.glob("*.py")))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--encoder", type=pathlib.Path, required=True)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--samples", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", choices=READS, default=list(READS))
    given = parser.parse_args()
    python = os.path.abspath(given.python)  # resolved, it would leave its virtual environment
    installed, code = versions(python), cells(given.library)
    print(given.library, *(f"{name} {version}" for name, version in installed.items()))
    for journey in (name for name in given.only if name in code):
        found = []
        for sample in given.samples:
            folder = given.out / given.library / f"{journey.replace(' ', '_')}_{sample}"
            rows = parts(given.shared, READS[journey], given.examples, sample)
            encoder = str(given.encoder.resolve())
            result = run(given.library, journey, python, encoder, folder.resolve(), rows)
            found.append({"journey": journey, "sample": sample, **result})
            with open(given.out / "results.jsonl", "a") as stream:
                json.dump({"library": given.library, "versions": installed, **found[-1]}, stream)
                stream.write("\n")
        print(f"{journey:16}{summary(found)}", flush=True)


def summary(found: list[dict]) -> str:
    """Return the results of a journey on all samples in one line."""
    if failures := [one["failed"] for one in found if "failed" in one]:
        return failures[0]
    shown = []
    for measure in MEASURES[READS[found[0]["journey"]]][1]:
        scores = [one[measure.__name__] for one in found]
        spread = f"{min(scores):.3f} to {max(scores):.3f}"
        shown.append(f"{measure.__name__} {statistics.mean(scores):.3f} ({spread})")
    for name, unit in {"seconds": "s", "cpu_seconds": "CPU s"}.items():
        shown.append(f"{statistics.mean(one[name] for one in found):.0f} {unit}")
    return ", ".join(shown)


if __name__ == "__main__":
    main()
