from ftkeras.policies._base import TRAINS, Policy


class Full(Policy):
    """Everything trains, at the schedule's rate. Source: Devlin et al., 2019, section 3.2."""

    decides = TRAINS
