"""Search for good hyperparameters: many trials of train, the best of them as a flagfile."""

import importlib.util
import logging

import tensorflow as tf

from ftkeras.config.tune import TuneConfig
from ftkeras.errors import UserError
from ftkeras.experiment import inferred_task
from ftkeras.runs import layout
from ftkeras.search.space import Space
from ftkeras.support import signals
from ftkeras.workflows import pretraining, searching
from ftkeras.workflows.searching import Search

log = logging.getLogger(__name__)


def run(config: TuneConfig) -> Search | None:
    """Start or resume a search; as a worker, run trials for the chief and return None.

    Raises:
        UserError: if a setting is wrong, all trials or the first ones fail, or a package is
            missing.
        Stopped: if a signal stopped it; its state has been saved.
    """
    resolved, config, space = plan(config)
    from ftkeras.search import folder, session, setup, workers

    home, name = folder.choose(config), workers.name()
    with signals.stoppable(f"To resume, repeat the command with search_dir={home}."):
        if name not in (workers.ALONE, workers.CHIEF):
            setup.require_pretrained(config, name)
            session.work(config, space, home, name, workers.Chief())
            return None
        with folder.lock(home, resolved) as place:
            if resolved.pretrain_epochs is not None:
                setup.require_one_encoder(space)
                pretrained = pretraining.once(resolved, home, layout.SEARCH_SETTINGS, place)
                config, space = setup.plan(pretrained)
            folder.require_same_search(config, home)
            return searching.search(config, space, home, name, place)


def plan(config: TuneConfig) -> tuple[TuneConfig, TuneConfig, Space]:
    """Return the configuration with the task that its data pose, then complete, and the space.

    Raises:
        UserError: if a setting is wrong, or a package is missing.
    """
    if None in map(importlib.util.find_spec, ("keras_tuner", "matplotlib", "jinja2")):
        raise UserError("tune needs: pip install 'ftkeras[tune]'")
    from ftkeras.search import setup

    _leave_gpus_to_trials()
    resolved = inferred_task.resolve(config)
    return resolved, *setup.plan(resolved)


def _leave_gpus_to_trials() -> None:
    """Use no GPU in this process, which would take the memory of those that the trials use."""
    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:  # called from Python, after TensorFlow has started
        log.warning(
            "TensorFlow has started in this process and may hold GPU memory that the trials need; "
            "call tune in a separate process"
        )
