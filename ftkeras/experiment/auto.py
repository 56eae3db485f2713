"""Choose what `learning_rate=auto` and `epochs=auto` leave open."""

import dataclasses
import logging
import math
from collections.abc import Sequence
from typing import TypeVar

from ftkeras import catalog
from ftkeras.config.fields import AUTO
from ftkeras.config.run import Config
from ftkeras.experiment import encoder_source
from ftkeras.experiment.definition import Experiment
from ftkeras.policies import Policy

log = logging.getLogger(__name__)

Configuration = TypeVar("Configuration", bound=Config)

# The width and batch size to which the learning rates of the formula belong.
WIDTH, BATCH = 768, 16
PRETRAINED_RATE, FROM_SCRATCH_RATE = 4e-5, 4e-4
BATCH_FACTORS = (0.5, 4.0)
PRETRAINED_RATES, FROM_SCRATCH_RATES = (1e-5, 3e-4), (1e-4, 1e-3)
# The bounds of what a policy or an optimizer makes of these.
RATES = (1e-7, 1e-2)
FEWEST_EPOCHS, MOST_EPOCHS = 3, 20
PRETRAINED_UPDATES, FROM_SCRATCH_UPDATES = 120, 1000


def choose_learning_rate(
    hidden: int, batch_size: int, *, pretrained: bool, factor: float = 1.0
) -> float:
    """Return the peak learning rate, rounded to two digits.

    pretrained    4e-5 (768 / hidden)² b,       from 1e-5 to 3e-4
    from scratch  4e-4 sqrt(768 / hidden) b,    from 1e-4 to 1e-3

    where b = sqrt(batch_size / 16), from 0.5 to 4. The result is multiplied by `factor`, and is
    from 1e-7 to 1e-2.

    The square goes through the published ranges: 2e-5 to 5e-5 at width 768 (Devlin et al., 2019,
    appendix A.3), and up to 3e-4 at widths 128 to 512 (Turc et al., 2019,
    https://arxiv.org/abs/1908.08962). For random weights it is the width's share of the rule of
    Vaswani et al., 2017, section 5.3. The root of the batch size is the scaling rule of Adam
    (Malladi et al., 2022, https://arxiv.org/abs/2205.10287).

    Args:
        hidden: the encoder's width.
        batch_size: examples of an update.
        pretrained: whether the encoder's weights come from a checkpoint.
        factor: what the policy and the optimizer multiply it by.

    >>> [choose_learning_rate(hidden, 16, pretrained=True) for hidden in (128, 384, 768, 1024)]
    [0.0003, 0.00016, 4e-05, 2.3e-05]
    """
    relative = WIDTH / hidden
    batch = _clip(math.sqrt(batch_size / BATCH), BATCH_FACTORS)
    if pretrained:
        rate = _clip(PRETRAINED_RATE * relative**2 * batch, PRETRAINED_RATES)
    else:
        rate = _clip(FROM_SCRATCH_RATE * math.sqrt(relative) * batch, FROM_SCRATCH_RATES)
    return float(f"{_clip(rate * factor, RATES):.1e}")


def choose_epochs(updates: int, *, pretrained: bool) -> int:
    """Return the number of epochs: 3, or more until the run has enough updates, at most 20.

    Enough are 120 for a pretrained encoder and 1,000 for random weights. Three epochs are those of
    Devlin et al., 2019. On few examples they are too few updates: Mosbach et al., 2021,
    https://arxiv.org/abs/2006.04884, train for 20 epochs, and Zhang et al., 2021,
    https://arxiv.org/abs/2006.05987, show that it is the updates that count. They train at 2e-5;
    at the higher rates of small encoders fewer updates do: MiniLM on 360 texts was no better after
    250 than after 115 (docs/training.md).

    Args:
        updates: of an epoch.
        pretrained: whether the encoder's weights come from a checkpoint.

    >>> [choose_epochs(updates, pretrained=True) for updates in (5, 23, 63, 1000)]
    [20, 6, 3, 3]
    """
    enough = PRETRAINED_UPDATES if pretrained else FROM_SCRATCH_UPDATES
    return min(max(FEWEST_EPOCHS, math.ceil(enough / updates)), MOST_EPOCHS)


def settle(experiment: Experiment, *, examples: int, updates: int) -> Experiment:
    """Return the experiment with numbers in place of `auto`, and log them with their reasons.

    Args:
        experiment: built, so that its encoder is known.
        examples: to train on in an epoch.
        updates: of an epoch.
    """
    config = experiment.config
    if AUTO not in (config.learning_rate, config.epochs):
        return experiment
    pretrained = _is_pretrained(config)
    origin = "pretrained" if pretrained else "random weights"
    batch_size = config.batch_size or round(examples / updates)
    values, lines = {}, []
    if config.epochs == AUTO:
        values["epochs"] = epochs = settle_epochs(config, updates=updates).planned_epochs
        lines.append(f"epochs={epochs} (auto: {examples:,} examples, {updates:,} updates an epoch)")
    if config.learning_rate == AUTO:
        hidden, factor = experiment.model.encoder.hidden, _factor(config, experiment.policies)
        rate = choose_learning_rate(hidden, batch_size, pretrained=pretrained, factor=factor)
        values["learning_rate"] = rate
        parts = ", ".join((*config.policy, config.optimizer))
        times = f", {factor:g} times for {parts}" if factor != 1 else ""
        reason = f"hidden {hidden}, {origin}, batches of {batch_size}{times}"
        lines.insert(0, f"learning_rate={rate:.1e} (auto: {reason})")
    log.info("%s", ", ".join(lines))
    return dataclasses.replace(experiment, config=dataclasses.replace(config, **values))


def settle_epochs(config: Configuration, *, updates: int) -> Configuration:
    """Return the configuration with a number of epochs in place of `auto`.

    Args:
        config: the run's.
        updates: of an epoch.
    """
    return fill(config, epochs=choose_epochs(updates, pretrained=_is_pretrained(config)))


def assume(config: Config) -> Config:
    """Return the configuration with the highest values in place of `auto`, to check the parts by.

    A schedule that falls to a rate, or an average over epochs, fits these if it fits any.
    """
    return fill(config, learning_rate=RATES[1], epochs=MOST_EPOCHS)


def guess_learning_rate(config: Config) -> float:
    """Return the learning rate of a run whose encoder and policies are not built.

    If the encoder is a checkpoint that is not a local folder, its width is taken to be 768.
    """
    policies = [catalog.build("policy", spec, seed=config.seed) for spec in config.policy]
    return choose_learning_rate(
        encoder_source.width(config) or WIDTH,
        config.batch_size or BATCH,
        pretrained=_is_pretrained(config),
        factor=_factor(config, policies),
    )


def fill(config: Configuration, **values: float) -> Configuration:
    """Return the configuration with these values for those of its fields that are `auto`."""
    return dataclasses.replace(
        config, **{name: v for name, v in values.items() if getattr(config, name) == AUTO}
    )


def _is_pretrained(config: Config) -> bool:
    return encoder_source.checkpoint(config.encoder) is not None


def _factor(config: Config, policies: Sequence[Policy]) -> float:
    """Return the factor of the policies and the optimizer on the learning rate."""
    cls = catalog.find("optimizer", catalog.parse("optimizer", config.optimizer).name)
    own = cls.rate_factor
    if own is None:
        log.warning(
            "learning_rate=auto is meant for optimizers like Adam, not for %s; use find_rate",
            config.optimizer,
        )
        own = 1.0
    return own * math.prod(policy.rate_factor for policy in policies)


def _clip(value: float, bounds: tuple[float, float]) -> float:
    low, high = bounds
    return min(max(value, low), high)
