"""Settings whose training must give the same result on one device and on several."""

from ftkeras import catalog
from tests.strategies.tiny import Setting

WAYS = {
    "accumulated": Setting(accumulate=2),
    "unclipped": Setting(clip_norm=0.0),
    "ema": Setting(average="ema(decay=0.5)", epochs=2, measured=True),
    "swa": Setting(average="swa(start=0.0)", epochs=2, measured=True),
    "lora": Setting(policy=("lora(rank=2)",)),
    "adapters": Setting(policy=("adapters(size=2)",)),
    "unfrozen": Setting(policy=("gradual_unfreezing",), epochs=2),
    # After the first, no epoch gains so much, so the rate falls twice.
    "falling": Setting(schedule="reduce_on_plateau(least_gain=100.0)", epochs=4, measured=True),
    "weighted": Setting(weights=(0.5, 1.0, 3.0), accumulate=2),
    "l2": Setting(regularizer=("l2(strength=0.1)",)),
    "r_drop": Setting(regularizer=("r_drop",)),
    "adversarial": Setting(regularizer=("fgm",)),
    "private": Setting(private=1.3, optimizer="sgd", rate=0.1, epochs=2),
    "bucketed": Setting(batching="bucketed", accumulate=2, measured=True),
    "packed": Setting(batching="packed", accumulate=2, measured=True),
    "loss scaled": Setting(scales_loss=True, accumulate=2),
    "one batch": Setting(batch=64),
    "more replicas than examples": Setting(batch=4, accumulate=3),
}
# Adafactor divides by the root of g² + epsilon_1. With its default epsilon_1, a gradient that is
# rounding alone counts as one.
KEYS = {"adafactor": "(epsilon_1=1e-12)"}
OPTIMIZERS = {
    name: Setting(optimizer=name + KEYS.get(name, "")) for name in catalog.names("optimizer")
}
ON_TWO_WORKERS = {
    "measured": Setting(measured=True, epochs=2, weights=(0.5, 1.0, 3.0), accumulate=2),
    **{name: WAYS[name] for name in ("ema", "lora", "r_drop", "packed", "private")},
    **{name: OPTIMIZERS[name] for name in ("adafactor", "sgd")},
    # These exchange the rows of embeddings: the first because they are fewer bytes.
    "rows": Setting(batching="packed", weights=(0.5, 1.0, 3.0), vocabulary=400),
    "lazy rows": Setting(optimizer="adamw(lazy=True)"),
}
# Not Adam, which turns a gradient near zero, whose sign is a matter of rounding, into a step.
COMPRESSED = {
    name: Setting(optimizer="sgd", rate=0.1, compress="bfloat16", vocabulary=400, batching=batching)
    for name, batching in {"all": "padded", "rows": "packed"}.items()
}
