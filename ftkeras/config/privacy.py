"""The flags about the privacy of the training texts."""

from dataclasses import dataclass

from ftkeras.config.fields import flag
from ftkeras.config.teaching import Teaching


@dataclass(frozen=True, kw_only=True)
class Privacy(Teaching):
    """The fields that limit, or measure, what a model tells of its training examples."""

    private: str | None = flag(
        None,
        "Training",
        "Train with differential privacy, as {private}(epsilon=8, delta=1e-5); needs "
        "ftkeras[private].",
    )
    canaries: int = flag(
        0,
        "Training",
        "Plant this many random texts with random labels in train, so that `dossier` can measure "
        "what the model learns by heart.",
    )
