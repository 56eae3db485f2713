"""Search for good hyperparameters: many trials of train, the best of them as a flagfile."""

from ftkeras.config.tune import TuneConfig
from ftkeras.runs import layout
from ftkeras.support import signals
from ftkeras.workflows import pretraining, searching
from ftkeras.workflows.searching import Search


def run(config: TuneConfig) -> Search | None:
    """Start or resume a search; as a worker, run trials for the chief and return None.

    Raises:
        UserError: if a setting is wrong, all trials or the first ones fail, or a package is
            missing.
        Stopped: if a signal stopped it; its state has been saved.
    """
    resolved, config, space = searching.plan(config)
    from ftkeras.search import folder, session, setup, workers

    home, name = folder.choose(config), workers.name()
    with signals.stoppable(f"To resume, repeat the command with search_dir={home}."):
        if name not in (workers.ALONE, workers.CHIEF):
            searching.require_pretrained(config, name)
            session.work(config, space, home, name, workers.Chief())
            return None
        with folder.lock(home, resolved) as place:
            if resolved.pretrain_epochs is not None:
                setup.require_one_encoder(space)
                pretrained = pretraining.once(resolved, home, layout.SEARCH_SETTINGS, place)
                config, space = setup.plan(pretrained)
            folder.require_same_search(config, home)
            return searching.search(config, space, home, name, place)
