"""The section about training: loss, metrics and learning rate over the epochs and steps."""

from collections.abc import Sequence
from typing import Any

from ftkeras.figures.lines import Line, Lines
from ftkeras.figures.parts import Facts, Missing, Notice, Part, Plot, Section
from ftkeras.figures.style import BLUE, ORANGE
from ftkeras.pages import metric_names
from ftkeras.pages.run_view import RunView
from ftkeras.reports import advice
from ftkeras.runs import layout
from ftkeras.support import times

Rows = Sequence[dict[str, float]]


def section(view: RunView) -> Section:
    """Return the section about training."""
    parts: list[Part] = [*_warnings(view), *_plots(view), *_facts(view)]
    figures = {"history": view.history, **view.metrics.get("train", {})}
    return Section("Training", "training", parts, figures)


def _warnings(view: RunView) -> list[Part]:
    if not view.metrics.get("train") or not view.measured:
        return []
    notes = advice.notes(view.config, view.metrics, view.problem, view.folder)
    return [Notice(note[0].upper() + note[1:] + ".") for note in notes]


def _plots(view: RunView) -> list[Part]:
    if not view.history:
        reason = f"the run's folder has no {layout.HISTORY}."
        return [Missing("Learning curves", reason)]
    metric = view.config.objective
    names = ["loss"] if metric == "loss" else ["loss", metric]
    plots: list[Part] = [_by_epoch(view, name) for name in names]
    return [*plots, *_by_step(view), *_learning_rate(view)]


def _by_epoch(view: RunView, name: str) -> Plot:
    epochs = [row["epoch"] for row in view.history]
    lines, within = [], [row for row in view.evaluations if f"val_{name}" in row]
    for key, label, color in ((name, "train", BLUE), (f"val_{name}", "validation", ORANGE)):
        points = [(row["epoch"], row[key]) for row in view.history if key in row]
        if points:
            lines.append(Line(label, points, color=color, marker="o"))
    if within:
        points = sorted((row["epoch"], row[f"val_{name}"]) for row in within)
        label = "validation within epochs"
        lines.append(Line(label, points, color=ORANGE, style=":"))
    best = view.metrics.get("train", {}).get("best_epoch")
    title = metric_names.title(name)
    return Plot(
        f"{name}_by_epoch",
        f"{title} by epoch",
        Lines(
            lines,
            "epoch",
            metric_names.words(name),
            x_limits=(0.8, len(epochs) + 0.2) if len(epochs) < 3 else None,
            vertical=(best, "selected epoch") if best else None,
            whole_numbers=True,
        ),
        alt=" ".join(_alt(line) for line in lines),
    )


def _alt(line: Line) -> str:
    return f"{line.name}: from {line.points[0][1]:.4g} to {line.points[-1][1]:.4g}."


def _by_step(view: RunView) -> list[Part]:
    """Return plots of what a tracker recorded by step: the loss, and the norm of the gradients."""
    plots: list[Part] = []
    for key, title in (("loss", "Training loss by step"), ("gradient_norm", "Gradient norm")):
        points = [(row["step"], row[key]) for row in view.steps if key in row]
        if len(points) > 1:
            line = Line(key.replace("_", " "), points)
            drawing = Lines([line], "step", line.name)
            plots.append(Plot(f"{key}_by_step", title, drawing, alt=_alt(line)))
    return plots


def _learning_rate(view: RunView) -> list[Part]:
    rows, x = (view.steps, "step") if view.steps else (view.history, "epoch")
    points = [(row[x], row["learning_rate"]) for row in rows if "learning_rate" in row]
    if len(points) < 2:
        return []
    marker = "" if view.steps else "o"
    line = Line("learning rate", points, marker=marker)
    return [
        Plot(
            "learning_rate",
            f"Learning rate by {x}",
            Lines([line], x, "learning rate", whole_numbers=True),
            alt=f"Schedule {view.config.schedule}. {_alt(line)}",
            note="" if view.steps else "At the end of each epoch. With --track=csv by step.",
        )
    ]


def _facts(view: RunView) -> list[Part]:
    train = view.metrics.get("train", {})
    shown: dict[str, Any] = {
        "Optimizer updates": ("steps", "{:,}".format),
        "Selected epoch": ("best_epoch", "{}".format),
        "Time of training": ("seconds", times.duration),
        "Throughput": ("examples_per_second", "{:,.0f} examples a second".format),
        "Tokens": ("tokens_per_second", "{:,.0f} a second".format),
        "Waiting for data": ("share_waiting_for_data", "{:.0%} of the time".format),
        "Peak memory": ("peak_memory_bytes", lambda size: f"{size / 2**30:.1f} GiB"),
    }
    facts = {
        title: write(train[key])
        for title, (key, write) in shown.items()
        if train.get(key) is not None
    }
    return [Facts(facts)] if facts else []
