"""The section that says what was trained on what, and how good it is."""

import pathlib
from typing import Any

import numpy as np

from ftkeras.errors import UserError
from ftkeras.figures.parts import Facts, KeyNumber, KeyNumbers, Missing, Part, Section, Table
from ftkeras.pages import baseline
from ftkeras.pages.metric_names import title
from ftkeras.pages.run_view import RunView
from ftkeras.runs import naming
from ftkeras.statistics import bootstrap
from ftkeras.support import plurals

CONFIDENCE = 0.95
MOST_RESAMPLES, LEAST_RESAMPLES = 2000, 200
CERTAIN = (
    " Some metrics have the same value in all samples, which does not rule out mistakes: shares "
    "then have Wilson's interval, and other metrics none."
)
# Numbers that a bootstrap looks at in all: more take more than a few seconds.
LOOKS = 2e8


def section(view: RunView) -> Section:
    """Return the section about the whole run."""
    try:
        parts, figures = _metrics(view)
    except UserError as error:
        parts, figures = [Missing("Metrics", f"{error}.")], {}
    else:
        compared, numbers = baseline.parts(view)
        parts = [*compared[:1], *parts, *compared[1:]]  # the verdict first
        figures |= numbers
    return Section("Summary", "summary", [*parts, Facts(_facts(view))], figures)


def _metrics(view: RunView) -> tuple[list[Part], dict[str, Any]]:
    """Return tiles of the most important metrics, and a table of all of them."""
    rows, note = measured(view)
    first = view.problem.metric
    rows.sort(key=lambda row: row[0] != first)  # stable: the others keep their order
    name, value, *ends = rows[0]
    about = f"95 % interval {_number(ends[0])} to {_number(ends[1])}"
    tiles = [
        KeyNumber(f"{title(name)} on {view.split}", _number(value), about),
        KeyNumber(f"{view.split} examples".capitalize(), f"{len(view.rows):,}"),
    ]
    if "train" in view.metrics.get("data", {}):
        tiles.append(KeyNumber("Training examples", f"{view.metrics['data']['train']:,}"))
    table = Table(
        "metrics",
        f"Metrics on {view.split}",
        ["metric", "value", "95 % interval, from", "to"],
        [[title(name), *map(_known, numbers)] for name, *numbers in rows],
        note=note,
    )
    return [KeyNumbers(tiles), table], {"split": view.split, "examples": len(view.rows)}


def measured(view: RunView) -> tuple[list[tuple[str, float, float, float]], str]:
    """Return each metric with the ends of its interval, NaN for none, and how they are computed.

    Raises:
        UserError: if the run has no predictions.
    """
    predictions = view.predictions
    values = bootstrap.evaluate([[predictions]])[0]
    low, high = intervals(predictions, columns=len(view.problem.names))
    is_share = np.array([name in predictions.shares for name in predictions.metrics])
    is_certain = ~np.isnan(values) & (np.isnan(low) | (is_share & np.isin(values, (0, 1))))
    note = f"Percentile bootstrap over the {len(view.rows):,} examples of {view.split}."
    columns = (column.tolist() for column in (values, low, high))
    rows = list(zip(predictions.metrics, *columns, strict=True))
    return rows, note + (CERTAIN if is_certain.any() else "")


def intervals(predictions: bootstrap.Predictions, *, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends of the 95 % interval of each metric; see `bootstrap.intervals`.

    Args:
        predictions: of a run.
        columns: the outputs of the model; the more there are, the fewer samples are taken.
    """
    size = len(predictions.truth) * (2 + columns)
    resamples = int(np.clip(LOOKS / size, LEAST_RESAMPLES, MOST_RESAMPLES))
    samples = bootstrap.resample([[predictions]], resamples=resamples, seed=0)[:, 0]
    return bootstrap.intervals([predictions], samples, CONFIDENCE)


def _facts(view: RunView) -> dict[str, str]:
    config, counts = view.config, view.metrics.get("data", {})
    data = ", ".join(f"{counts[n]:,} {n}" for n in ("train", "validation", "test") if n in counts)
    shared = counts.get("in_train_and_test")
    labels = ", ".join(view.problem.names[:12])
    more = len(view.problem.names) - 12
    facts = {
        "Model": view.problem.kind,
        "Task": config.task,
        "Outputs": f"{labels} and {more:,} more" if more > 0 else labels,
        "Encoder": config.encoder,
        "Trained": f"policy {', '.join(config.policy)}; epochs {config.epochs}, batch size "
        f"{config.batch_size or 'by tokens'}, learning rate {config.learning_rate}",
        "Examples": data or "not recorded",
        "Folder": str(view.folder),
    }
    if shared:
        texts = plurals.counted(shared, "text of test is", "texts of test are")
        facts["Leakage"] = f"{texts} also in train or validation"
    return facts


def subtitle(view: RunView) -> str:
    """Return the line below the page's title."""
    encoder = view.config.encoder
    if encoder.startswith(("/", ".", "~")):  # a folder
        encoder = pathlib.PurePath(encoder).name
    return f"A {view.problem.kind}: {encoder}, trained on {naming.run_name(view.config)}"


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
