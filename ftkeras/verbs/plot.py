"""Plot the learning rate over a run without training."""

import logging
import pathlib
from dataclasses import dataclass

from ftkeras.config.fields import AUTO
from ftkeras.config.plot import PlotConfig
from ftkeras.experiment import auto, optimization, run_length
from ftkeras.reports import plots, schedule
from ftkeras.reports.schedule import Curve

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SchedulePlot:
    """The plot's file, and the learning rates in it."""

    path: pathlib.Path
    curve: Curve


def run(config: PlotConfig) -> SchedulePlot:
    """Plot the schedule, and log a table of some of its learning rates.

    Raises:
        UserError: if a setting is wrong, the file cannot be written, or matplotlib is missing.
    """
    path = plots.output_path(config.output, config.run_dir, "schedule.png")
    total = config.steps or _count_steps(config)
    if config.learning_rate == AUTO:
        config = auto.fill(config, learning_rate=auto.guess_learning_rate(config))
        log.info("%s", schedule.guessed(config))
    learning_rate = optimization.schedule(config, total_steps=total)
    warmup = optimization.resolve_warmup(config, total_steps=total)
    curve = schedule.sample(learning_rate, total=total, warmup=warmup)
    with plots.new_plot(path) as axes:
        title = f"schedule={config.schedule} learning_rate={config.learning_rate:g}"
        schedule.plot(axes, curve, title)
    log.info("\n" + schedule.table(curve))
    if optimization.schedule_callbacks(learning_rate):
        log.info("validation decides when the learning rate falls; here it always improves")
    log.info(f"\nplot    {path}")
    return SchedulePlot(path, curve)


def _count_steps(config: PlotConfig) -> int:
    examples = run_length.count_training_examples(config)
    updates = run_length.count_updates(config, examples)
    config = auto.settle_epochs(config, updates=updates)
    steps = updates * config.planned_epochs
    log.info(schedule.steps(config, examples, steps))
    return steps
