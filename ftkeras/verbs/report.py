"""Write the page about a finished run, on its own test data or on other data."""

import functools
import logging
import pathlib
from collections.abc import Callable, Mapping, Sequence

from ftkeras.config.report import ReportConfig
from ftkeras.experiment import other_data
from ftkeras.experiment.explaining import RunModel, open_run
from ftkeras.explanations import explaining
from ftkeras.explanations.explanation import Explanation
from ftkeras.pages import page, report, run_view, split_texts
from ftkeras.support import files

log = logging.getLogger(__name__)
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
    plan = other_data.plan(config, run_dir)
    reading = split_texts.of_run if plan.name is None else split_texts.of_other_data
    with reading(plan, run_dir, wanted=config.texts) as texts:
        with_baseline = config.baseline != "none"
        view = run_view.read(
            run_dir,
            texts,
            with_texts=config.texts,
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
    """Return a function that explains answers; it builds the model when it is first called."""
    if not (config.texts and config.explanations):
        return None

    @functools.cache
    def model() -> RunModel:
        return open_run(run_dir, steps=STEPS, batch_size=BATCH_SIZE)

    return lambda texts: explaining.explain(model(), texts)
