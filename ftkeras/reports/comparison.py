"""A comparison of recipes as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.runs.comparison import OUT_OF_FOLD
from ftkeras.statistics.bootstrap import Tested
from ftkeras.statistics.comparison import shown_p, tested_difference

TEXT_COLUMNS = 72  # of an example's text; the rest is cut
LEGEND_COLUMNS = 100
INTERVAL_COLUMNS = 24


def tables(result: Mapping[str, Any], tested: Tested) -> str:
    """Return the recipes, their metrics, the tested pairs and the conclusions.

    Args:
        result: as compare.json holds it.
        tested: the metric that the tests concern.
    """
    if len(result["ways"]) == 1:
        parts = (_recipes(result, tested), _metrics_of_one(result))
    else:
        parts = (_recipes(result, tested), _metrics(result), _pairs(result["pairs"], tested))
    conclusions = [f"- {sentence}" for sentence in result["conclusions"]]
    return "\n\n".join("\n".join(lines) for lines in (*parts, conclusions))


def disagreements(rows: Sequence[Mapping[str, Any]], tested: Tested) -> str:
    """Return the examples on which the recipes disagree most, with their texts.

    Args:
        rows: as compare.json holds them under "disagreements"; at least one.
        tested: names the numbers that are shown.
    """
    names = list(rows[0][tested.compared])
    answers = [key for key in rows[0] if key not in ("id", "text", tested.compared)]
    cells = [[row["id"], *(str(row[key]) for key in answers)] for row in rows]
    widths = [max(map(len, column)) + 2 for column in zip(*cells, strict=True)]
    lines = [f"largest disagreements, with each recipe's {tested.compared_title}"]
    lines.append(" " * sum(widths) + "".join(f"{name:>6}" for name in names))
    for row, shown in zip(rows, cells, strict=True):
        values = "".join(f"{value:6.2f}" for value in row[tested.compared].values())
        ids = "".join(f"{cell:{width}}" for cell, width in zip(shown, widths, strict=True))
        lines.append(f"{ids}{values}  {_shortened(row['text'] or '')}".rstrip())
    return "\n".join(lines)


def names(result: Mapping[str, Any]) -> list[str]:
    """Return the name of each recipe with its settings, for the legend of a plot."""
    full = [f"{recipe['name']}  {settings(recipe)}" for recipe in result["ways"]]
    return [name[:LEGEND_COLUMNS] for name in full]


def settings(recipe: Mapping[str, Any]) -> str:
    """Return the settings in which a recipe differs from the others.

    >>> settings({"settings": {"epochs": 2, "regularizer": ()}})
    'epochs=2 regularizer=none'
    """
    return " ".join(f"{name}={_value(value)}" for name, value in recipe["settings"].items())


def _recipes(result: Mapping[str, Any], tested: Tested) -> list[str]:
    lines = []
    for recipe in result["ways"]:
        lines.append(f"{recipe['name']}  {settings(recipe)}".rstrip())
        lines.append(f"   {', '.join(recipe['draws'])}: {' '.join(recipe['folders'])}")
        if (metric := recipe["over_runs"][tested.name])["sd"] is not None:
            lines.append(f"   {tested.name} {mean_and_sd(metric)} over {len(recipe['draws'])} runs")
    return lines


def mean_and_sd(metric: Mapping[str, float | None]) -> str:
    """Return a metric's mean and standard deviation; `-` if it is undefined.

    >>> mean_and_sd({"mean": 0.8123, "sd": 0.012})
    '0.8123 ± 0.0120'
    """
    if metric["mean"] is None:
        return "-"
    return f"{metric['mean']:.4f} ± {metric['sd']:.4f}"


def _metrics_of_one(result: Mapping[str, Any]) -> list[str]:
    """Return a row for each metric of the only recipe, with its spread over the runs."""
    recipe, percent = result["ways"][0], f"{100 * result['confidence']:g} %"
    lines = [
        f"on {result['examples']:,} {result['split']} examples, {len(recipe['draws'])} runs",
        f"{'':12}{'mean ± sd of runs':>20}{percent + ' bootstrap interval':>30}",
    ]
    for name, metric in recipe["figures"].items():
        interval = "-"
        if metric["low"] is not None:
            interval = f"[{metric['low']:.4f}, {metric['high']:.4f}]"
        lines.append(f"{name:12}{mean_and_sd(recipe['over_runs'][name]):>20}{interval:>30}")
    return lines + pooled(result)


def _metrics(result: Mapping[str, Any]) -> list[str]:
    names = list(result["ways"][0]["figures"])
    percent = f"{100 * result['confidence']:g} %"
    lines = [f"on {result['examples']:,} {result['split']} examples, {percent} bootstrap intervals"]
    lines.append(" " * 3 + "".join(f"{name:>{INTERVAL_COLUMNS}}" for name in names))
    for recipe in result["ways"]:
        values = "".join(_interval(recipe["figures"][name]) for name in names)
        lines.append(f"{recipe['name']:3}{values}")
    return lines + pooled(result)


def pooled(result: Mapping[str, Any]) -> list[str]:
    """Return the line on how metrics of cross-validations are computed; none for runs."""
    if result["split"] != OUT_OF_FOLD:
        return []
    return [
        "Each metric is that of a repeat's out-of-fold predictions together; crossvalidate reports "
        "means over folds."
    ]


def _pairs(pairs: Sequence[Mapping[str, Any]], tested: Tested) -> list[str]:
    title = f"{tested.name},{tested.unit}" if tested.unit else tested.name
    title, decimals = f"{title:>{INTERVAL_COLUMNS}}", tested.decimals + 1
    lines = [f"{'pair':8}{title}{'p':>10}{'Holm p':>10}   test"]
    for pair in pairs:
        difference = tested_difference(pair, tested)
        value, low, high = (tested.factor * difference[key] for key in ("value", "low", "high"))
        interval = f"{value:+.{decimals}f} [{low:+.{decimals}f}, {high:+.{decimals}f}]"
        p_values = "".join(f"{shown_p(pair[key]):>10}" for key in ("p_value", "p_value_holm"))
        names = f"{pair['second']} − {pair['first']:4}"
        lines.append(f"{names}{interval:>{INTERVAL_COLUMNS}}{p_values}   {_test(pair)}")
    if len(pairs) > 1:
        lines.append("Each interval holds for its pair alone; Holm's p-values, for all together.")
    return lines


def _test(pair: Mapping[str, Any]) -> str:
    if (counts := pair["mcnemar"]) is None:
        return pair["test"]
    return (
        f"{pair['test']}: only {pair['first']} correct on {counts['only_first']:,}, "
        f"only {pair['second']} on {counts['only_second']:,}"
    )


def _interval(metric: Mapping[str, float | None]) -> str:
    if metric["value"] is None:
        return f"{'-':>{INTERVAL_COLUMNS}}"
    text = f"{metric['value']:>10.4f}"
    if metric["low"] is not None:
        text += f" [{metric['low']:.3f}, {metric['high']:.3f}]"
    return text.rjust(INTERVAL_COLUMNS)


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= TEXT_COLUMNS else f"{text[: TEXT_COLUMNS - 1]}…"


def _value(value: object) -> str:
    return ",".join(value) or "none" if isinstance(value, tuple) else str(value)
