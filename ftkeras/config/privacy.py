"""The flags about the privacy of the training texts."""

from dataclasses import dataclass

from ftkeras.config.fields import flag
from ftkeras.config.teaching import Teaching


@dataclass(frozen=True, kw_only=True)
class Privacy(Teaching):
    """The fields that limit, or measure, what a model tells of its training examples."""

    private: str | None = flag(
        None,
        "Privacy",
        "Train with differential privacy: {private}(epsilon=8, delta=1e-5). Needs "
        "ftkeras[private].",
    )
    canaries: int = flag(
        0,
        "Privacy",
        "Add this many random texts with random labels to train, so that the verb dossier can "
        "measure how much the model memorizes.",
    )
