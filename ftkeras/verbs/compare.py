"""Compare finished runs on the same examples."""

import logging
import string

from ftkeras.config.measuring import CompareConfig
from ftkeras.errors import UserError
from ftkeras.pages import comparison_page, page
from ftkeras.reports import comparison as report
from ftkeras.reports import learning_curves
from ftkeras.runs import comparison, reader
from ftkeras.support import files

log = logging.getLogger(__name__)

RESULT, CURVES, PAGE, PLOTS = "compare.json", "curves.png", "compare.html", "plots"
NAMES = string.ascii_uppercase


def run(config: CompareConfig) -> dict:
    """Compare the runs in `config.folders`; write compare.json and the learning curves.

    Returns:
        What compare.json has.

    Raises:
        UserError: if a folder holds no finished run, or the runs cannot be compared.
    """
    output = files.require_writable(config.output, "output")
    runs = [run for folder in config.folders for run in reader.read(folder, split=config.split)]
    reader.check_comparable(runs)
    recipes = reader.group_by_recipe(runs)
    if len(recipes) > len(NAMES):
        raise UserError(f"compare takes at most {len(NAMES)} recipes. Received: {len(recipes)}.")
    result = comparison.compare(
        recipes,
        NAMES[: len(recipes)],
        split=config.split,
        confidence=config.confidence,
        resamples=config.resamples,
        seed=config.seed,
        disagreements=config.disagreements,
    )
    files.write_json(output / RESULT, result)
    tested = runs[0].predictions.tested
    log.info(report.tables(result, tested))
    if result["disagreements"]:
        log.info("\n%s", report.disagreements(result["disagreements"], tested))
    log.info(f"\nresult  {output / RESULT}")
    try:
        if learning_curves.plot(output / CURVES, recipes, report.names(result)):
            log.info(f"curves  {output / CURVES}")
    except UserError as error:  # without matplotlib
        log.info(f"note: {error}")
    page.write_if_installed(
        lambda: comparison_page.write(output / PAGE, output / PLOTS, result, recipes)
    )
    return result
