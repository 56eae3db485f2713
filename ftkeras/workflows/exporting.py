"""Write the exports of a run, with a line about each."""

import logging
import pathlib
from collections.abc import Sequence

from ftkeras.experiment.exports import Exporter
from ftkeras.reports import exports as report

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
