"""A check that a resumed run has the same noise."""

from ftkeras.errors import UserError
from ftkeras.privacy import Mechanism
from ftkeras.training.callback import Callback


class SameMechanism(Callback):
    """Refuse to resume a private run with another noise or bound: its steps are accounted as one.

    The noise that is found for an epsilon depends on the number of steps, and so on the epochs.
    """

    def __init__(self, mechanism: Mechanism):
        super().__init__()
        self.settings = {"noise": mechanism.noise, "clip": mechanism.clip}

    def state(self) -> dict:
        """Return the state to save in a checkpoint."""
        return self.settings

    def restore_state(self, state: dict) -> None:
        """Raise UserError if the checkpoint was trained with another noise or bound."""
        if state != self.settings:
            before, now = map(_in_words, (state, self.settings))
            raise UserError(
                f"`private`: `run_dir` holds a run with {before}, but its settings now need {now}; "
                "use the same number of epochs and the same `private`, or `restart`."
            )


def _in_words(settings: dict) -> str:
    return f"noise {settings['noise']:.4g} and clip {settings['clip']:g}"
