"""A check that a resumed run has the same data."""

import hashlib

from ftkeras.errors import UserError
from ftkeras.training.callback import Callback
from ftkeras.training.protocols import Feed


class SameData(Callback):
    """Refuse to resume a run on other examples or batches than it started with.

    A position within an epoch has no meaning if the epoch has other batches.
    """

    def __init__(self, feed: Feed):
        super().__init__()
        content = hashlib.sha256()
        examples = feed.examples
        for array in (examples.digests, examples.targets, *feed.batches(epoch=0)):
            content.update(array.tobytes())
            content.update(b"|")
        if examples.teacher is not None:
            content.update(examples.teacher.teacher.encode())
        self.fingerprint = content.hexdigest()

    def state(self) -> dict:
        """Return the state to save in a checkpoint."""
        return {"fingerprint": self.fingerprint}

    def restore_state(self, state: dict) -> None:
        """Raise UserError if the checkpoint was trained on other data."""
        if state["fingerprint"] != self.fingerprint:
            raise UserError(
                "`run_dir` holds a run on other training examples or batches: the data or "
                "the teacher has changed, or batching=auto chose differently on this machine; "
                "`restart` starts from scratch."
            )
