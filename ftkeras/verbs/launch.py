"""Run train or tune with several worker processes on this machine."""

import logging
import shlex
import sys
from collections.abc import Sequence

from ftkeras.config.launch import LaunchConfig
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.processes import cluster
from ftkeras.runs import folder

log = logging.getLogger(__name__)


def run(config: LaunchConfig) -> None:
    """Run all workers until they are done.

    Raises:
        SystemExit: with the exit code of the first worker that failed.
    """
    if config.verb == "tune":
        from ftkeras.workflows import searching

        assert isinstance(config.config, TuneConfig), "of that verb"
        searching.require_pretrained(config.config, "worker-0")
        searching.plan(config.config)  # so that a wrong search is refused once
        from ftkeras.search import crew  # needs Keras Tuner

        code = crew.search(config)
    else:
        code = _train(config)
    if code:
        raise SystemExit(code)


def _train(config: LaunchConfig) -> int:
    assert config.config is not None, "the command line gives it"
    arguments = with_run_dir(config.config, config.arguments)
    template = cluster.tf_config_template(config.workers)
    log.info(
        "launch   %d workers on this machine; on several machines this would be\n"
        "         TF_CONFIG='%s' %s",
        *(config.workers, template, shlex.join(["ftkeras", *arguments])),
    )
    command = [sys.executable, "-m", "ftkeras.main", *arguments]
    return cluster.run(command, config.workers, config.restarts)


def with_run_dir(config: Config, arguments: Sequence[str]) -> list[str]:
    """Return the arguments of train with a folder that all workers and attempts share."""
    if config.run_dir is not None:
        return list(arguments)
    return [*arguments, f"--run_dir={folder.default(config)}"]
