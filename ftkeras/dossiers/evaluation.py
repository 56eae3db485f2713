"""The part about how good the model is, with intervals and the parts of the data it fails on."""

import math

from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.figures.parts import Table, Text
from ftkeras.pages import summary
from ftkeras.pages.metric_names import title


def part(subject: Subject) -> Part:
    """Return the part about metrics.

    Raises:
        UserError: if the run has no predictions.
    """
    view = subject.view
    measured, note = summary.measured(view)
    rows = [
        (name, *(None if math.isnan(number) else number for number in (value, *ends)))
        for name, value, *ends in measured
        if not math.isnan(value)
    ]
    data = {
        "split": view.split,
        "examples": len(view.rows),
        "metrics": {name: value for name, value, *_ in rows},
        "intervals": {name: ends for name, _, *ends in rows if None not in ends},
        "recorded": view.measured,
    }
    table = Table(
        "evaluation",
        f"Metrics on {view.split}",
        ["metric", "value", "95 % interval, from", "to"],
        [[title(name), *numbers] for name, *numbers in rows],
        note=note,
    )
    more = "Curves, errors and slices are in report.html of the run."
    return Part("evaluation", "Evaluation", data, [table, Text(more)])
