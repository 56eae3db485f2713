"""Full fine-tuning."""

from ftkeras.policies._base import TRAINS, Policy


class Full(Policy):
    """Train all variables at the schedule's learning rate.

    w trains, for every variable w

    Source: Devlin et al., 2019, section 3.2, https://arxiv.org/abs/1810.04805.
    """

    decides = TRAINS
