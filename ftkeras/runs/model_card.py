"""The page that travels with a model: what it is for, what it was made of, and how good it is.

Its sections follow Mitchell et al., 2019, https://arxiv.org/abs/1810.03993, as far as a run knows
what they ask.
"""

import inspect
import math
import pathlib
import re
from dataclasses import dataclass
from typing import Any

from scipy import stats

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.runs import metrics as report

# Of families of checkpoints whose authors state one for all of them.
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
        "Figures": _figures(facts, metrics),
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
    about = inspect.getdoc(type(facts.task)).split("\n\n")[0].replace("\n", " ")
    takes = "two texts" if facts.task.pairs else "a text"
    labels = ", ".join(f"`{label}`" for label in facts.labels)
    return f"{about}\n\nIt takes {takes} and gives one of {len(facts.labels)} labels: {labels}."


def _data(facts: Facts, metrics: dict) -> str:
    task, counts = facts.task, metrics.get("data", {})
    rows = [f"task `{facts.config.task}`"]
    if task.homepage:
        rows.append(f"from {task.homepage}")
    if task.citation:
        rows.append(f"to cite: {task.citation}")
    rows.append(f"licence: {getattr(task, 'license', None) or 'none is known to ftkeras'}")
    rows += [f"{name.replace('_', ' ')}: {count:,} examples" for name, count in counts.items()]
    return _list(rows)


def _encoder(facts: Facts) -> str:
    config, encoder = facts.config, facts.model.encoder
    size = sum(math.prod(v.shape) for v in facts.model.kept)
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
        return "started from random weights, so there is none to heed"
    card = pathlib.Path(checkpoint) / "README.md"
    if card.is_file():
        head = card.read_text(encoding="utf-8", errors="replace").split("\n---", 1)[0]
        if stated := re.search(r"^license:\s*(\S+)", head, re.MULTILINE):
            return f"{stated[1]}, as its model card states"
    known = (license for names, license in LICENSES.items() if re.fullmatch(names, checkpoint))
    return next(known, "not known to ftkeras; see where the checkpoint comes from")


def _figures(facts: Facts, metrics: dict) -> str:
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
    f1 = f"of `{facts.labels[1]}`" if len(facts.labels) == 2 else "the mean over labels"
    note = f"The interval is Wilson's; F1 is {f1}."
    if "confusion" in metrics:
        note += f" Confusion on {splits[-1]}, a row a label, a column a prediction, in the order "
        note += f"above: `{metrics['confusion']}`."
    return "\n".join([*lines, "", note])


def _limits(facts: Facts, metrics: dict) -> str:
    config = facts.config
    rows = [
        f"Of a text {config.max_length} tokens are read, special ones counted; which of a longer "
        f"one, `--truncation={config.truncation}` says.",
        "Figures are of texts like those it was trained on; of others nothing was measured.",
        "Probabilities were not calibrated, and no group of authors or subjects was looked at "
        "apart.",
    ]
    if "validation" in metrics:
        rows.append("The epoch was picked on validation, so its figures there flatter it.")
    if "test" not in metrics:
        rows.append("It was not measured on test.")
    if shared := metrics.get("data", {}).get("in_train_and_test"):
        rows.append(f"{shared:,} texts of test stand in train or validation too.")
    return _list(rows)


def _name(task: str) -> str:
    return task.partition("(")[0]


def _list(rows) -> str:
    return "\n".join(f"- {row}" for row in rows)
