"""Check a configuration before anything heavy is loaded."""

import pathlib

from ftkeras import catalog
from ftkeras.config import combinations
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import auto, feeds, optimization, private, redactions, windows
from ftkeras.experiment.part_errors import blame
from ftkeras.policies import check_together
from ftkeras.problems import SEVERAL_ROWS, Problem
from ftkeras.support import commands
from ftkeras.support.nearest import hint
from ftkeras.support.protocols import Head

# Longer than any run, for checks to which the length does not matter.
ENDLESS = 2**31


def check(config: Config) -> None:
    """Build each light part once, and find the class of each heavy one.

    So a wrong spec is reported at once, not after the data was read or the encoder was loaded.

    Raises:
        UserError: a part is unknown, its spec is wrong, or two parts exclude each other.
    """
    config = auto.assume(config)
    if config.folds is not None and config.fold is None and not config.train_on_validation:
        raise UserError(
            f"folds={config.folds} needs `fold`, the number of the fold to validate on, from 0; "
            "crossvalidate runs all of them."
        )
    _check_problem(config, problem_class(config))
    redactions.build(config)
    if config.group_by not in (None, "none"):
        catalog.build("group_by", config.group_by)
    truncation = combinations.truncation(config)
    for kind, spec in (("task", config.task), ("truncation", truncation)):
        catalog.find(kind, catalog.parse(kind, spec).name)
    for spec in config.exports:
        catalog.find("export", catalog.parse("export", spec).name)
    for spec in config.regularizer:
        catalog.build("regularizer", spec, seed=config.seed)
    policies = [catalog.build("policy", spec, seed=config.seed) for spec in config.policy]
    with blame("policy", ", ".join(config.policy)):
        check_together(policies)
    private.check(config)
    feeds.batching(config, pad_id=0)
    optimization.loss(config)
    optimization.average_callbacks(config)
    optimization.optimizer(config, total_steps=ENDLESS)
    schedule = optimization.schedule(config, total_steps=ENDLESS)
    if config.train_on_validation and optimization.schedule_callbacks(schedule):
        raise UserError(
            f"schedule={config.schedule} follows the validation metrics, but with "
            "`train_on_validation` nothing is validated."
        )


def require_calibrated(config: Config, problem: Problem, run_dir: pathlib.Path) -> None:
    """Raise UserError if a run should be calibrated, but is not.

    Args:
        config: says whether it should be.
        problem: the run's.
        run_dir: the run's folder.
    """
    if config.calibrate and problem.temperature is None:
        raise UserError(
            f"`calibrate`: run_dir={run_dir} is not calibrated yet; do so with: "
            f"{commands.line('evaluate', run_dir=run_dir, calibrate=True)}"
        )


def problem_class(config: Config) -> type[Problem]:
    """Return the class of the problem that the configuration's task poses."""
    return catalog.find("task", catalog.parse("task", config.task).name).problem_class


def _check_problem(config: Config, problem: type[Problem]) -> None:
    """Raise UserError unless all settings and parts fit the problem."""
    names = [measure.name for measure in problem.measures]
    if config.objective not in names:
        raise UserError(
            f"`objective` must be {', '.join(names[:-1])} or {names[-1]}"
            f"{hint(config.objective, names)} Received: {config.objective!r}."
        )
    head = catalog.find("head", _check_head(config, problem))
    _check_loss(config, problem, head)
    _check_batches(config, problem)
    _check_parts(config, problem, head)
    if config.calibrate and not problem.calibrates:
        raise UserError(
            f"`calibrate` can't be used with a {problem.kind}: only probabilities of labels are "
            "calibrated."
        )
    _check_canaries(config, problem)
    _check_regularizers(config, problem)
    windows.check(config, problem)
    by = catalog.parse("schedule", config.schedule).arguments.get("by", "loss")
    if by not in ("loss", *windows.reported(config, problem)):
        raise UserError(f"schedule={config.schedule}: training a {problem.kind} reports no {by!r}.")


def _check_loss(config: Config, problem: type[Problem], head: type[Head]) -> None:
    """Raise UserError unless the loss and its arguments fit the problem and the head."""
    loss = catalog.parse("loss", config.loss)
    catalog.require("loss", loss.name)
    model = f"a {problem.kind}" + (f" with head={config.head}" if head.losses else "")
    if loss.name not in (losses := head.losses or problem.losses):
        raise UserError(f"loss={config.loss} can't be used with {model}; use {', '.join(losses)}.")
    for argument in loss.arguments:
        if reason := problem.loss_arguments.get(argument):
            raise UserError(f"loss={config.loss} can't be used with a {problem.kind}: {reason}.")


def _check_batches(config: Config, problem: type[Problem]) -> None:
    """Raise UserError unless the problem's examples can be batched as configured."""
    if reason := problem.batchings.get(catalog.parse("batching", config.batching).name):
        raise UserError(
            f"batching={config.batching} can't be used with a {problem.kind}: {reason}."
        )
    if config.batch_tokens is not None and problem.reads in SEVERAL_ROWS:
        raise UserError(
            f"`batch_tokens` can't be used with a {problem.kind}: each example has several rows; "
            "use `batch_size`, the examples of a batch."
        )


def _check_parts(config: Config, problem: type[Problem], head: type[Head]) -> None:
    """Raise UserError if the problem or the head excludes a policy, regularizer or export."""
    for kind, specs, excluded, by in (
        ("policy", config.policy, problem.policies, f"a {problem.kind}"),
        ("regularizer", config.regularizer, problem.regularizers, f"a {problem.kind}"),
        ("regularizer", config.regularizer, head.regularizers, f"head={config.head}"),
        ("export", config.exports, problem.exporters, f"a {problem.kind}"),
    ):
        for spec in specs:
            if reason := excluded.get(catalog.parse(kind, spec).name):
                raise UserError(f"{kind}={spec} can't be used with {by}: {reason}.")


def _check_canaries(config: Config, problem: type[Problem]) -> None:
    """Raise UserError if canaries can't be planted."""
    if config.canaries and problem.reads != "texts":
        raise UserError(
            f"`canaries` can't be used with a {problem.kind}, only with tasks that give a text as "
            "a whole an answer."
        )
    if config.canaries < 0 or config.canaries == 1:
        raise UserError(f"`canaries` must be 0 or at least 2. Received: {config.canaries}.")
    if config.canaries and config.unlabelled:
        raise UserError("`canaries` and `unlabelled` can't be combined; omit one of them.")


def _check_regularizers(config: Config, problem: type[Problem]) -> None:
    """Raise UserError if an argument does not fit the problem, or two parts replace the loss."""
    specs = {spec: catalog.parse("regularizer", spec) for spec in config.regularizer}
    for spec, parsed in specs.items():
        for argument in parsed.arguments:
            if reason := problem.regularizer_arguments.get(argument):
                raise UserError(
                    f"regularizer={spec}: `{argument}` can't be used with a {problem.kind}, as "
                    f"{reason}; omit it."
                )
    classes = {spec: catalog.find("regularizer", parsed.name) for spec, parsed in specs.items()}
    replacing = [spec for spec in config.regularizer if classes[spec].replaces_loss]
    if len(replacing) > 1:
        raise UserError(
            f"regularizer={replacing[0]} and regularizer={replacing[1]} can't be combined: each "
            "replaces the task's loss; use one of them."
        )


def _check_head(config: Config, problem: type[Problem]) -> str:
    """Return the name of the head; raise UserError unless it fits the problem."""
    head = catalog.parse_head(config.head or problem.head).name or problem.head
    catalog.require("head", head)
    fitting = (problem.head, *problem.heads)
    if head not in fitting:
        raise UserError(
            f"head={config.head} can't be used with a {problem.kind}; use {' or '.join(fitting)}."
        )
    return head
