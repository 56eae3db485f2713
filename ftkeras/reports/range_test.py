"""A learning-rate range test as a CSV file, as a plot and as text."""

from typing import Any

import numpy as np

from ftkeras.experiment.range_test import Curve, Suggestion
from ftkeras.reports.plots import BLUE, BROWN, GREEN, GREY, ORANGE


def csv(curve: Curve) -> str:
    """Return a line for each update: step (from 0), learning_rate, loss, smoothed_loss."""
    lines = ["step,learning_rate,loss,smoothed_loss"]
    rows = zip(curve.learning_rates, curve.losses, curve.smoothed, strict=True)
    lines += [
        f"{step},{lr:.6e},{loss:.6f},{mean:.6f}" for step, (lr, loss, mean) in enumerate(rows)
    ]
    return "\n".join(lines) + "\n"


def plot(axes: Any, curve: Curve, suggestion: Suggestion, title: str) -> None:
    """Plot the losses over the learning rate, and mark what they suggest."""
    learning_rates, losses, smoothed = curve.learning_rates, curve.losses, curve.smoothed
    axes.plot(learning_rates, losses, ".", color=GREY, markersize=4, label="loss of a batch")
    axes.plot(learning_rates, smoothed, color=BLUE, linewidth=2, label="smoothed")
    marks = (
        ("a tenth of the lowest point's learning rate", suggestion.tenth, GREEN, "-"),
        ("steepest fall", suggestion.steepest, ORANGE, "--"),
        ("lowest point", suggestion.lowest, BROWN, ":"),
    )
    for label, value, color, style in () if suggestion.doubt else marks:
        axes.axvline(value, color=color, linestyle=style, label=f"{label}: {value:.1e}")
    axes.set_xscale("log")
    axes.set_xlim(learning_rates[0], learning_rates[-1])
    # Cut off a diverging end, which would flatten the part that matters.
    low, top = losses.min(), max(smoothed[: smoothed.argmin() + 1].max(), np.median(losses))
    span = max(top - low, 0.01)
    axes.set_ylim(max(0, low - 0.2 * span), top + span)
    axes.set_xlabel("learning rate of the update")
    axes.set_ylabel("training loss before the update")
    axes.set_title(title, fontsize=11)
    axes.legend(fontsize=8, frameon=False)


def text(suggestion: Suggestion) -> str:
    """Return the suggestion in words."""
    if suggestion.doubt:
        return f"No suggestion: {suggestion.doubt}."
    return "\n".join(
        (
            f"The smoothed loss falls fastest at  {suggestion.steepest:.2e}",
            f"It is lowest at                     {suggestion.lowest:.2e}",
            f"A tenth of that is                  {suggestion.tenth:.2e}",
            "",
            f"Suggestion: learning_rate={suggestion.tenth:.1e}, a tenth of that of the lowest",
            "point. There the loss is about to rise, and a whole run needs a margin. The steepest",
            "fall is a second opinion, but it depends more on the noise of the batches.",
        )
    )
