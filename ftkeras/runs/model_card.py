"""The model card of an export: what the model is for, how it was made, and how good it is.

Its sections are those of Mitchell et al., 2019, https://arxiv.org/abs/1810.03993, that a run can
fill in.
"""

import inspect
import math
import pathlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from scipy import stats

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.runs import metrics as report

# Families of checkpoints whose authors state one licence for all of them.
LICENSES = {
    r"(google-bert/)?bert-(base|large)-.*|google/bert_.*": "Apache-2.0, as google-research/bert",
    r"sentence-transformers/.*MiniLM.*": "Apache-2.0, as its model card states",
}


@dataclass(frozen=True)
class Facts:
    """What the card says of a model, beside the run's metrics.

    Attributes:
        config: the run's.
        task: has `pairs`, `homepage` and `citation`; its docstring describes it.
        labels: their names, in the order of their ids.
        model: has `encoder`, and `kept`, the variables that are saved.
        checkpoint: the folder or Hub id that training started from; None for random weights.
    """

    config: Config
    task: Any
    labels: tuple[str, ...]
    model: Any
    checkpoint: str | None


def text(facts: Facts, run_dir: pathlib.Path) -> str:
    """Return the model card, in Markdown.

    Args:
        facts: of the model.
        run_dir: the run's folder, from which the metrics are read.
    """
    metrics = report.read_metrics(run_dir)
    sections = {
        "What it does": _purpose(facts),
        "Data": _data(facts, metrics),
        "Encoder": _encoder(facts),
        "Metrics": _metrics(facts, metrics),
        "Limits": _limits(facts, metrics),
        "Settings": f"```\n{flagfile.render(facts.config)}```",
        "Versions": _list(
            f"{name} {version}"
            for name, version in (metrics.get("versions") or report.versions()).items()
        ),
    }
    title = f"# {_name(facts.config.task)}: a text classifier\n"
    return "\n".join([title, *(f"## {head}\n\n{body}\n" for head, body in sections.items())])


def wilson(accuracy: float, examples: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of an accuracy measured on the given number of examples.

    Source: Wilson, 1927, https://doi.org/10.1080/01621459.1927.10502953.

    >>> [round(bound, 4) for bound in wilson(0.9, 100)]
    [0.8256, 0.9448]
    """
    test = stats.binomtest(round(accuracy * examples), examples)
    interval = test.proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def _purpose(facts: Facts) -> str:
    about = (inspect.getdoc(type(facts.task)) or "").split("\n\n")[0].replace("\n", " ")
    reads = "two texts" if facts.task.pairs else "a text"
    labels = ", ".join(f"`{label}`" for label in facts.labels)
    return f"{about}\n\nIt reads {reads} and predicts one of {len(facts.labels)} labels: {labels}."


def _data(facts: Facts, metrics: dict) -> str:
    task, counts = facts.task, metrics.get("data", {})
    rows = [f"task `{facts.config.task}`"]
    if task.homepage:
        rows.append(f"from {task.homepage}")
    if task.citation:
        rows.append(f"citation: {task.citation}")
    rows.append(f"licence: {task.license or 'not known to ftkeras'}")
    rows += [f"{name.replace('_', ' ')}: {count:,} examples" for name, count in counts.items()]
    return _list(rows)


def _encoder(facts: Facts) -> str:
    config, encoder = facts.config, facts.model.encoder
    size = sum(math.prod(v.shape) for v in facts.model.saved_variables)
    return _list(
        [
            f"`{config.encoder}`",
            f"{encoder.layers} layers, hidden {encoder.hidden}, {encoder.heads} heads; with the "
            f"head {size:,} parameters",
            f"licence: {_license(facts.checkpoint)}",
        ]
    )


def _license(checkpoint: str | None) -> str:
    """Return the licence that the checkpoint's own card states, or the one of its family."""
    if checkpoint is None:
        return "started from random weights, so no licence applies"
    card = pathlib.Path(checkpoint) / "README.md"
    if card.is_file():
        head = card.read_text(encoding="utf-8", errors="replace").split("\n---", 1)[0]
        if stated := re.search(r"^license:\s*(\S+)", head, re.MULTILINE):
            return f"{stated[1]}, as its model card states"
    known = (license for names, license in LICENSES.items() if re.fullmatch(names, checkpoint))
    return next(known, "not known to ftkeras; see where the checkpoint comes from")


def _metrics(facts: Facts, metrics: dict) -> str:
    splits = [split for split in ("validation", "test") if split in metrics]
    lines = ["| split | examples | accuracy (95 % interval) | F1 | area under ROC | loss |"]
    lines.append("|---|---|---|---|---|---|")
    for split in splits:
        found = metrics[split]
        low, high = wilson(found["accuracy"], found["examples"])
        auc = "-" if found["auc"] is None else f"{found['auc']:.4f}"
        lines.append(
            f"| {split} | {found['examples']:,} | {found['accuracy']:.4f} ({low:.4f} to {high:.4f})"
            f" | {found['f1']:.4f} | {auc} | {found['loss']:.4f} |"
        )
    f1 = f"that of `{facts.labels[1]}`" if len(facts.labels) == 2 else "the mean over labels"
    note = f"The interval is Wilson's; F1 is {f1}."
    if "confusion" in metrics:
        note += (
            f" Confusion matrix on {splits[-1]}, with a row for each label and a column for each "
            f"prediction, in the order above: `{metrics['confusion']}`."
        )
    return "\n".join([*lines, "", note])


def _limits(facts: Facts, metrics: dict) -> str:
    config = facts.config
    rows = [
        f"It reads at most {config.max_length} tokens of a text, special tokens included; "
        f"`--truncation={config.truncation}` selects them from a longer text.",
        "The metrics hold for texts like the training data; nothing was measured on others.",
        "The probabilities are not calibrated, and no group of authors or subjects was evaluated "
        "separately.",
    ]
    if "validation" in metrics:
        rows.append(
            "The best epoch was picked on validation, so the validation metrics are optimistic."
        )
    if "test" not in metrics:
        rows.append("It was not evaluated on test.")
    if shared := metrics.get("data", {}).get("in_train_and_test"):
        rows.append(f"{shared:,} texts of test also occur in train or validation.")
    return _list(rows)


def _name(task: str) -> str:
    return task.partition("(")[0]


def _list(rows: Iterable[str]) -> str:
    return "\n".join(f"- {row}" for row in rows)
