"""Define what an experiment consists of."""

from dataclasses import dataclass, field
from typing import Any

from ftkeras.config.run import Config
from ftkeras.policies import Policy
from ftkeras.problems import Problem
from ftkeras.strategies import Devices
from ftkeras.text.layer import TextLayer
from ftkeras.training.finetuner import FineTuner


@dataclass(frozen=True)
class Experiment:
    """A task, the text layer that reads its texts, and the model that learns it.

    Attributes:
        config: the run's.
        task: gives the examples.
        problem: what the model predicts about them.
        text_layer: strings to token ids, in training and in the exported model.
        model: token ids to logits.
        policies: those that have prepared the model, in their order.
        devices: on which the model is placed.
        pairs: whether an example is a pair of texts.
    """

    config: Config
    task: Any
    problem: Problem
    text_layer: TextLayer
    model: FineTuner
    policies: tuple[Policy, ...] = ()
    devices: Devices = field(default_factory=Devices)
    pairs: bool = False
