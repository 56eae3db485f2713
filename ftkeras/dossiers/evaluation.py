"""The part about how good the model is, with intervals and the parts of the data it fails on."""

import numpy as np

from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.figures.parts import Table, Text
from ftkeras.pages import summary
from ftkeras.pages.metric_names import title
from ftkeras.statistics import bootstrap


def part(subject: Subject) -> Part:
    """Return the part about metrics.

    Raises:
        UserError: if the run has no predictions.
    """
    view = subject.view
    predictions = view.predictions
    values = bootstrap.evaluate([[predictions]])[0]
    low, high = summary.intervals(predictions, columns=len(view.problem.names))
    rows = [
        (name, float(value), float(start), float(end))
        for name, value, start, end in zip(predictions.metrics, values, low, high, strict=True)
        if not np.isnan(value)
    ]
    data = {
        "split": view.split,
        "examples": len(view.rows),
        "metrics": {name: value for name, value, *_ in rows},
        "intervals": {name: ends for name, _, *ends in rows},
        "recorded": view.measured,
    }
    table = Table(
        "evaluation",
        f"Metrics on {view.split}",
        ["metric", "value", "95 % interval, from", "to"],
        [[title(name), *numbers] for name, *numbers in rows],
        note=f"Percentile bootstrap over the {len(view.rows):,} examples of {view.split}.",
    )
    more = "Curves, errors and slices are in report.html of the run."
    return Part("evaluation", "Evaluation", data, [table, Text(more)])
