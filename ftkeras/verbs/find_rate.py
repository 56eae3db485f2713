"""Run a learning-rate range test and suggest a learning rate."""

import logging

from ftkeras.config.find_rate import FindRateConfig
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import auto, build, classifier, feeds, inferred_task, optimization
from ftkeras.experiment.range_test import Suggestion, range_test, suggest
from ftkeras.reports import plots
from ftkeras.reports import range_test as report
from ftkeras.support import files
from ftkeras.teachers import states, teacher_answers
from ftkeras.teachers.unlabelled import open_unlabelled

log = logging.getLogger(__name__)


def run(config: FindRateConfig) -> Suggestion:
    """Train with rising learning rates, write the curve as CSV and PNG, and log a suggestion.

    The trained weights are discarded.

    Raises:
        UserError: if a setting is wrong, or the loss diverges at the lowest learning rate.
    """
    csv, png = (
        plots.output_path(None, config.run_dir, f"find_rate.{kind}") for kind in ("csv", "png")
    )
    config = inferred_task.resolve(config)
    experiment = build.experiment(config)
    teachers = teacher_answers.open_teachers(experiment)
    states.hand_over(experiment, teachers)
    unlabelled = open_unlabelled(config, experiment.task)
    with open_splits(config, experiment.task, experiment.text_layer, unlabelled) as splits:
        feed = feeds.training_feed(
            experiment, splits, teacher_answers.learn(experiment, splits, teachers)
        )
        classifier.start_bias(experiment, splits.train.targets)
        experiment = auto.settle(experiment, examples=len(feed.examples), updates=len(feed))
        steps = len(feed) * experiment.config.planned_epochs
        optimization.compile_to_train(experiment, total_steps=steps)
        curve = range_test(
            experiment.model,
            feed,
            lowest=config.min_rate,
            highest=config.max_rate,
            steps=config.steps,
        )
    if len(curve.losses) < 3:
        raise UserError(
            f"min_rate={config.min_rate} is too high: the loss diverged at once. Set a lower one."
        )
    suggestion = suggest(curve)
    files.write_text(csv, report.csv(curve))
    with plots.new_plot(png) as axes:
        title = f"Range test: task={config.task} optimizer={config.optimizer}"
        report.plot(axes, curve, suggestion, title)
    log.info(report.text(suggestion))
    log.info(f"\ncurve   {png}, {csv}; the weights were discarded")
    return suggestion
