"""Test whether what a served model is asked and answers has drifted from the run's test split."""

import logging
import pathlib
from typing import Any

from ftkeras.config.drift import DriftConfig
from ftkeras.errors import Blocked, UserError
from ftkeras.reports import drift as report
from ftkeras.runs import monitoring
from ftkeras.support import files

log = logging.getLogger(__name__)


def run(config: DriftConfig) -> dict[str, Any]:
    """Compare a server's statistics with the run's own answers, and return what was found.

    Raises:
        UserError: if the folder is not that of an evaluated run, the statistics can't be read, or,
            with `require`, nothing can be compared.
        Blocked: with `require`, after the output is written, if something has drifted.
    """
    assert config.run_dir is not None, "checked by DriftConfig"
    assert config.statistics is not None, "checked by DriftConfig"
    if config.output is not None:
        files.require_writable_file(config.output, "output")
    bounds = {"alpha": config.alpha, "min_effect": config.min_effect}
    path = pathlib.Path(config.statistics)
    seen = monitoring.observed(path, version=config.version, last=config.last)
    known = monitoring.reference(pathlib.Path(config.run_dir), config.split)
    compared, missing = monitoring.compare(known, seen, least=config.min_texts)
    tests = [{**vars(one), "drift": one.is_found(**bounds)} for one in compared]
    log.info("%s\n", report.header(seen, config.split))
    log.info("%s", report.table(tests))
    for line in missing:
        log.info("%s", f"note: not compared: {line}")
    verdict = report.verdict(tests)
    result = {
        "run_dir": config.run_dir,
        "split": config.split,
        "start": seen.start,
        "end": seen.end,
        "windows": seen.windows,
        "versions": sorted(seen.versions),
        "texts": seen.texts,
        "dropped": seen.dropped,
        **bounds,
        "min_texts": config.min_texts,
        "tests": tests,
        "not_compared": missing,
        "verdict": verdict,
    }
    if config.output is not None:
        files.write_json(config.output, result)
        log.info("%s", f"\nresult  {config.output}")
    if config.require and not tests:
        raise UserError(
            f"`require`: nothing in statistics={path} can be compared with run_dir="
            f"{config.run_dir} ({'; '.join(missing)})."
        )
    if config.require and any(test["drift"] for test in tests):
        raise Blocked(verdict)
    log.info("\n%s", verdict)
    return result
