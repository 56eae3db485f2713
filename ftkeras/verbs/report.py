"""Write the page about a finished run, on its own test data or on other data."""

import contextlib
import functools
import logging
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from ftkeras.config.verbs import ReportConfig
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import build, elsewhere
from ftkeras.experiment.elsewhere import Plan
from ftkeras.experiment.explaining import RunModel, open_run
from ftkeras.explanations import explaining
from ftkeras.explanations.explanation import Explanation
from ftkeras.pages import page, report, run_view
from ftkeras.pages.run_view import NoTexts, Texts
from ftkeras.pages.split_texts import SplitTexts
from ftkeras.support import files

log = logging.getLogger(__name__)
NOT_WANTED = "the page was written with texts=false"
# Few points and small batches: many texts are explained, in little memory.
STEPS, BATCH_SIZE = 8, 8


def run(config: ReportConfig) -> pathlib.Path:
    """Write report.html into the run's folder, and return its path.

    If the data are not the run's, the run is evaluated on them first, and the page is
    `report-<name>.html`. What is missing, such as texts that are no longer there, the page says.

    Args:
        config: the run's, with its folder; data settings may differ from the run's.

    Raises:
        UserError: if the folder is not that of a run, other data has other labels, or matplotlib or
            jinja2 is not installed.
    """
    page.check_packages()
    run_dir = files.require_writable(config.run_dir or "", "run_dir")
    plan = elsewhere.plan(config, run_dir)
    reading = _own_texts if plan.name is None else _texts_evaluated
    with reading(config, plan, run_dir) as texts:
        with_baseline = config.baseline != "none"
        view = run_view.read(
            run_dir,
            texts,
            baseline=with_baseline,
            slices=tuple(name for names in config.slices for name in names.split(",")),
            patterns=config.slice,
            explain=_explainer(config, run_dir),
            explanations=config.explanations,
            name=plan.name,
        )
        path = report.write(view)
    log.info("%s", f"report  {path}")
    return path


def _explainer(
    config: ReportConfig, run_dir: pathlib.Path
) -> Callable[[Sequence[Mapping[str, str]]], list[Explanation]] | None:
    """Return what explains answers to texts, with a model that is built when it is first used."""
    if not (config.texts and config.explanations):
        return None

    @functools.cache
    def model() -> RunModel:
        return open_run(run_dir, steps=STEPS, batch_size=BATCH_SIZE)

    return lambda texts: explaining.explain(model(), texts)


@contextlib.contextmanager
def _own_texts(config: ReportConfig, plan: Plan, run_dir: pathlib.Path) -> Iterator[Texts]:
    """Yield the texts of the run's own data, if they are wanted and still there."""
    if not config.texts:
        yield NoTexts(NOT_WANTED)
        return
    with contextlib.ExitStack() as stack:
        try:
            experiment = build.experiment(plan.config, run_dir=run_dir)
            opened = open_splits(plan.config, experiment.task, experiment.text_layer)
            texts: Texts = SplitTexts(stack.enter_context(opened))
        except UserError as error:
            texts = NoTexts(str(error))
        yield texts


@contextlib.contextmanager
def _texts_evaluated(config: ReportConfig, plan: Plan, run_dir: pathlib.Path) -> Iterator[Texts]:
    """Evaluate the run on other data, and yield the texts of these data if they are wanted."""
    with elsewhere.reopen(plan, run_dir) as (experiment, splits):
        elsewhere.evaluate(experiment, splits, run_dir, plan)
        is_other = not plan.has_own_task
        yield SplitTexts(splits, is_other_data=is_other) if config.texts else NoTexts(NOT_WANTED)
