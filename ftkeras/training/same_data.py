import hashlib

import keras

from ftkeras.errors import UserError


class SameData(keras.callbacks.Callback):
    """Has a run gone on with only on the examples and batches that it began with.

    A place in an epoch means nothing where the epoch holds other batches.
    """

    def __init__(self, feed):
        super().__init__()
        content = hashlib.sha256()
        examples = feed.examples
        for array in (examples.digests, examples.labels, *feed.batches(epoch=0)):
            content.update(array.tobytes())
            content.update(b"|")
        self.fingerprint = content.hexdigest()

    def state(self) -> dict:
        """What a checkpoint keeps of it."""
        return {"fingerprint": self.fingerprint}

    def restore_state(self, state: dict) -> None:
        """Raises UserError where the checkpoint is of other data."""
        if state["fingerprint"] != self.fingerprint:
            raise UserError(
                "`run_dir` holds a run on other training examples or batches: the data, or how "
                "batching=auto reads this machine, is not what it was; `restart` begins anew."
            )
