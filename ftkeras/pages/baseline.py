"""Compare the model with simple ones, which take seconds to fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.errors import UserError
from ftkeras.figures.parts import Column, Missing, Notice, Part, Table
from ftkeras.pages.metric_names import title, words
from ftkeras.pages.run_view import RunView
from ftkeras.problems import Baseline, BaselineData
from ftkeras.statistics import bootstrap
from ftkeras.statistics.bootstrap import Predictions

# The most that baselines are fitted on and evaluated on: more would take minutes.
MOST_TRAIN, MOST_TEST, MOST_CHARACTERS = 20_000, 10_000, 12_000_000
# A baseline has a model for each output, so that of many outputs each sees fewer texts.
FEW_OUTPUTS, MOST_TRAIN_OF_MANY = 10, 10_000
MOST_RESAMPLES, LEAST_RESAMPLES = 1000, 200
LOOKS = 3e8
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """By how much the model is better than a baseline; negative if it is worse.

    Attributes:
        value: of the metric, with its sign such that larger is better for the model; None if the
            model's is undefined, as a correlation is if all answers are equal.
        low, high: of the 95 % interval.
    """

    value: float | None
    low: float
    high: float


def parts(view: RunView) -> tuple[list[Part], dict[str, Any]]:
    """Return a verdict and a table, and the numbers for report.json; nothing if not wanted."""
    if not view.baseline:
        return [], {}
    try:
        data, model = _data(view)
        baselines = view.problem.baselines(data)
    except UserError as error:
        return [Missing("Comparison with a simple model", f"{error}.")], {}
    if not baselines:
        reason = f"{view.problem.no_baseline}."
        return [Missing("Comparison with a simple model", reason)], {}
    metric, is_lower_better = deciding_metric(view, model)
    differences = compare(
        model,
        [baseline.predictions for baseline in baselines],
        metric,
        is_lower_better=is_lower_better,
        columns=len(view.problem.names),
    )
    table = _table(model, baselines, metric, differences)
    sizes = {"train": len(data.train), "examples": len(data.texts)}
    strongest = differences[-1]
    note = verdict(baselines[-1].name, words(metric), strongest)
    return [note, _with_sizes(table, view, sizes)], {
        "baseline": {**sizes, "metric": metric, **vars(strongest), "name": baselines[-1].name}
    }


def verdict(name: str, metric: str, difference: Difference) -> Notice:
    """Return whether the model is better than a baseline.

    Args:
        name: of the baseline.
        metric: its name in words.
        difference: of the metric.
    """
    if difference.value is None:
        text = f"The encoder does not beat the baseline ({name}): its {metric} is undefined."
        return Notice(text, "error")
    low, high = f"{difference.low:+.3f}", f"{difference.high:+.3f}"
    about = f"{metric} {difference.value:+.3f}, 95 % interval {low} to {high}"
    if difference.high < 0:
        return Notice(f"The encoder does not beat the baseline ({name}): {about}.", "error")
    if difference.low <= 0:
        text = f"It is not certain that the encoder beats the baseline ({name}): {about}."
        return Notice(text, "warning")
    return Notice(f"The encoder beats the baseline ({name}): {about}.", "good")


def compare(
    model: Predictions,
    baselines: Sequence[Predictions],
    metric: str,
    *,
    is_lower_better: bool,
    columns: int,
) -> list[Difference]:
    """Return by how much a model is better than each baseline, by the paired bootstrap.

    Args:
        model: its predictions.
        baselines: theirs, for the same examples.
        metric: to compare.
        is_lower_better: whether a smaller value is better.
        columns: the outputs of the model; the more there are, the fewer samples are taken.
    """
    recipes = [[model], *([one] for one in baselines)]
    size = len(model.truth) * (2 + columns) * len(recipes)
    resamples = int(np.clip(LOOKS / size, LEAST_RESAMPLES, MOST_RESAMPLES))
    at, sign = model.metrics.index(metric), -1 if is_lower_better else 1
    own, *others = bootstrap.evaluate(recipes)[:, at]
    samples = np.nan_to_num(bootstrap.resample(recipes, resamples=resamples, seed=0)[:, :, at])
    gains = sign * (samples[:, :1] - samples[:, 1:])
    low, high = bootstrap.percentile_interval(gains, CONFIDENCE)
    exact = [None if np.isnan(own) else float(sign * (own - np.nan_to_num(o))) for o in others]
    ends = zip(exact, low.tolist(), high.tolist(), strict=True)
    return [Difference(*numbers) for numbers in ends]


def deciding_metric(view: RunView, predictions: Predictions) -> tuple[str, bool]:
    """Return the metric that decides, the problem's own if possible, and if lower is better."""
    name = view.problem.metric
    if name not in predictions.metrics:
        return predictions.tested.name, predictions.tested.lower_is_better
    measures = {measure.name: measure for measure in view.problem.measures}
    return name, measures[name].lower_is_better


def _data(view: RunView) -> tuple[BaselineData, Predictions]:
    """Return the data of baselines, and the model's predictions for the same examples."""
    texts = view.split_texts
    most = _affordable(texts, MOST_TEST)
    places = np.arange(len(texts))
    if most < len(texts):
        places = np.linspace(0, len(texts) - 1, most).round().astype(int)
    has_few = len(view.problem.names) <= FEW_OUTPUTS
    most = MOST_TRAIN if has_few else MOST_TRAIN_OF_MANY
    train, targets = view.texts.read("train", _affordable(texts, most))
    rows = [view.rows[n] for n in places.tolist()]
    data = BaselineData(train, targets, [texts[n] for n in places.tolist()], rows)
    return data, view.problem.predictions(rows)


def _affordable(texts: Sequence[dict[str, str]], most: int) -> int:
    """Return how many texts of about this length are few enough."""
    some = texts[:: max(1, len(texts) // 1000)]
    length = np.mean([sum(map(len, text.values())) for text in some])
    return int(min(most, max(1000, MOST_CHARACTERS / max(length, 1))))


def _table(
    model: Predictions,
    baselines: Sequence[Baseline],
    metric: str,
    differences: Sequence[Difference],
) -> Table:
    values = bootstrap.evaluate([[model], *([one.predictions] for one in baselines)])
    order = sorted(model.metrics, key=lambda name: name != metric)
    places = [model.metrics.index(name) for name in order]
    names = ["this model", *(one.name for one in baselines)]
    gains = [None, *map(_gain, differences)]
    rows = [
        [name, *(None if np.isnan(v) else float(v) for v in own[places]), gain]
        for name, own, gain in zip(names, values, gains, strict=True)
    ]
    gained = Column(f"{title(metric)} gained (95 % interval)")
    return Table(
        "baselines", "Compared with simple models", ["model", *map(title, order), gained], rows
    )


def _gain(difference: Difference) -> str:
    if difference.value is None:
        return "undefined"
    return f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"


def _with_sizes(table: Table, view: RunView, sizes: dict[str, int]) -> Table:
    note = (
        f"Fitted on {sizes['train']:,} training texts, and compared on {sizes['examples']:,} "
        f"examples of {view.split} by the paired bootstrap."
    )
    return Table(table.name, table.title, table.columns, table.rows, note)
