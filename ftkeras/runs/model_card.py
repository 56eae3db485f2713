"""The page that travels with a model: what it is for, what it was made of, and how good it is.

Its sections follow Mitchell et al., 2019, https://arxiv.org/abs/1810.03993, as far as a run knows
what they ask.
"""

import inspect
import math
import pathlib
import re

from scipy import stats

from ftkeras.cli import flags
from ftkeras.experiment import encoder_source
from ftkeras.experiment.build import Experiment
from ftkeras.runs import metrics as report

# Of families of checkpoints whose authors state one for all of them.
LICENSES = {
    r"(google-bert/)?bert-(base|large)-.*|google/bert_.*": "Apache-2.0, as google-research/bert",
    r"sentence-transformers/.*MiniLM.*": "Apache-2.0, as its model card states",
}


def text(experiment: Experiment, run_dir: pathlib.Path) -> str:
    """model_card.md, in Markdown."""
    metrics = report.read_metrics(run_dir)
    sections = {
        "What it does": _purpose(experiment),
        "Data": _data(experiment, metrics),
        "Encoder": _encoder(experiment),
        "Figures": _figures(experiment, metrics),
        "Limits": _limits(experiment, metrics),
        "Settings": f"```\n{flags.render(experiment.config)}```",
        "Versions": _list(
            f"{name} {version}"
            for name, version in (metrics.get("versions") or report.versions()).items()
        ),
    }
    title = f"# {_name(experiment.config.task)}: a text classifier\n"
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


def _purpose(experiment: Experiment) -> str:
    about = inspect.getdoc(type(experiment.task)).split("\n\n")[0].replace("\n", " ")
    takes = "two texts" if experiment.task.pairs else "a text"
    labels = ", ".join(f"`{label}`" for label in experiment.labels)
    return (
        f"{about}\n\nIt takes {takes} and gives one of {len(experiment.labels)} labels: {labels}."
    )


def _data(experiment: Experiment, metrics: dict) -> str:
    task, counts = experiment.task, metrics.get("data", {})
    rows = [f"task `{experiment.config.task}`"]
    if task.homepage:
        rows.append(f"from {task.homepage}")
    if task.citation:
        rows.append(f"to cite: {task.citation}")
    rows.append(f"licence: {getattr(task, 'license', None) or 'none is known to ftkeras'}")
    rows += [f"{name.replace('_', ' ')}: {count:,} examples" for name, count in counts.items()]
    return _list(rows)


def _encoder(experiment: Experiment) -> str:
    config, encoder = experiment.config, experiment.model.encoder
    size = sum(math.prod(v.shape) for v in experiment.model.kept)
    return _list(
        [
            f"`{config.encoder}`",
            f"{encoder.layers} layers, hidden {encoder.hidden}, {encoder.heads} heads; with the "
            f"head {size:,} parameters",
            f"licence: {_license(config.encoder)}",
        ]
    )


def _license(spec: str) -> str:
    """What the checkpoint's own card states, or what is known of its family."""
    checkpoint = encoder_source.checkpoint(spec)
    if checkpoint is None:
        return "started from random weights, so there is none to heed"
    card = pathlib.Path(checkpoint) / "README.md"
    if card.is_file():
        head = card.read_text(encoding="utf-8", errors="replace").split("\n---", 1)[0]
        if stated := re.search(r"^license:\s*(\S+)", head, re.MULTILINE):
            return f"{stated[1]}, as its model card states"
    known = (license for names, license in LICENSES.items() if re.fullmatch(names, checkpoint))
    return next(known, "not known to ftkeras; see where the checkpoint comes from")


def _figures(experiment: Experiment, metrics: dict) -> str:
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
    f1 = f"of `{experiment.labels[1]}`" if len(experiment.labels) == 2 else "the mean over labels"
    note = f"The interval is Wilson's; F1 is {f1}."
    if "confusion" in metrics:
        note += f" Confusion on {splits[-1]}, a row a label, a column a prediction, in the order "
        note += f"above: `{metrics['confusion']}`."
    return "\n".join([*lines, "", note])


def _limits(experiment: Experiment, metrics: dict) -> str:
    config = experiment.config
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
