"""Write the exports of a run, with a line about each."""

import logging
import pathlib
from collections.abc import Sequence

from ftkeras.config.run import Config
from ftkeras.experiment import exports
from ftkeras.experiment.exports import Exporter
from ftkeras.reports import exports as report
from ftkeras.runs import audit, exported

log = logging.getLogger(__name__)


def write(specs: Sequence[str], exporters: Sequence[Exporter]) -> list[pathlib.Path]:
    """Write exports one after the other, and return where they are.

    Args:
        specs: of the exporters, such as `saved_model(dtype='float16')`.
        exporters: one for each spec.

    Raises:
        UserError: if an export does not answer as the run does.
    """
    written = []
    for spec, exporter in zip(specs, exporters, strict=True):
        log.info(report.started(spec))
        written.append(exporter.write())
        log.info(report.line(written[-1], exporter.message))
    return written


def write_again(config: Config, run_dir: pathlib.Path) -> list[pathlib.Path]:
    """Write exports of a finished run, each with an entry in its audit log; return where they are.

    Args:
        config: the run's, with the formats to export.
        run_dir: the run's folder.

    Raises:
        UserError: if the audit log can't be written, the run is not finished, or an exporter
            refuses the model.
    """
    audit.require_writable(run_dir)
    exporters = exports.of_finished_run(config, run_dir)
    written = []
    for spec, exporter in zip(config.exports, exporters, strict=True):
        written += write([spec], [exporter])
        # At once, as it may replace an export that has an entry, and the next format may fail.
        audit.append(run_dir, "exported", exported.audited(written[-1:]))
    return written
