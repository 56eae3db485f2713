"""Suggest what to write instead of an unknown argument."""

import dataclasses
import itertools
import re
from collections.abc import Collection

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.support.nearest import hint

# More parts than this with a key are only counted.
MOST_OWNERS = 3
# Arguments of Transformers and Keras, and earlier names, and what does the same here.
OTHER_NAMES = {
    "weight_decay": 'optimizer="adamw(decay=…)"',
    "per_device_train_batch_size": "batch_size",
    "gradient_accumulation_steps": "accumulate",
    "gradient_checkpointing": "remat",
    "warmup_ratio": "warmup, which is a share if it is below 1",
    "warmup_steps": "warmup",
    "lr_scheduler_type": "schedule",
    "max_grad_norm": "clip_norm",
    "metric_for_best_model": "objective",
    "label_smoothing_factor": 'loss="cross_entropy(label_smoothing=…)"',
    "num_train_epochs": "epochs",
    "model_name_or_path": "encoder",
    "output_dir": "run_dir, or {prefix}export_dir for exports",
    "train_file": "data",
    "lowest_rate": "min_rate",
    "highest_rate": "max_rate",
    "bf16": "precision=mixed_bfloat16",
    "fp16": "precision=mixed_float16",
}


def advice(name: str, known: Collection[str], *, prefix: str = "") -> str:
    """Return the end of a message about an unknown argument.

    It suggests what the argument of another library, or an earlier one, is called here, a part's
    key of this name, or a similar argument.

    Args:
        name: the unknown name.
        known: the names of all arguments.
        prefix: what is written before an argument, such as `--`.

    >>> advice("bf16", ["precision"]), advice("epoch", ["epochs"], prefix="--")
    ('; use precision=mixed_bfloat16.', '; did you mean --epochs?')
    """
    instead = OTHER_NAMES.get(name, "").format(prefix=prefix)
    if instead and re.split(r"\W", instead)[0] in known:
        return f"; use {prefix}{instead}."
    if not (owners := _owners(name, known, prefix)):
        return hint(name, known, prefix=prefix)
    others = f" or {len(owners) - MOST_OWNERS} others" if len(owners) > MOST_OWNERS else ""
    return f"; it is a key: {' or '.join(owners[:MOST_OWNERS])}{others}."


def _owners(name: str, known: Collection[str], prefix: str) -> list[str]:
    """Return the parts that have a key of this name: one of each kind first, then the others."""
    by_kind = [
        [
            f'{prefix}{kind}="{part}({name}=…)"'
            for part in _parts(kind)
            if name in catalog.keys(kind, part)
        ]
        for kind in known
        if kind in catalog.KINDS
    ]
    return [owner for row in itertools.zip_longest(*by_kind) for owner in row if owner]


def _parts(kind: str) -> list[str]:
    """Return the parts of a kind, the one that is used by default first."""
    defaults = {field.name: str(field.default) for field in dataclasses.fields(Config)}
    return sorted(catalog.names(kind), key=lambda part: not defaults.get(kind, "").startswith(part))
