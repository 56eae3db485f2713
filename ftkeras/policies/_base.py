import inspect
from collections.abc import Sequence

# What a policy may decide. What it merely changes needs no word here: `check` sees to that.
TRAINS, RATES, START = "what trains", "the rates of the layers", "what starts anew"


class Policy:
    """What every policy may do; here, nothing.

    A constructor keeps each argument under its own name, which `get_config` reads.
    """

    decides: str | None = None
    # Whether what `prepare` adds stays part of the finished model, whose folder must then tell it.
    stays = False

    def prepare(self, model) -> None:
        """Changes the model once, before it is compiled."""

    def check(self, model) -> None:
        """Looks at the model once, when all policies have prepared it."""

    def multipliers(self, model) -> list[tuple[str, float]]:
        """(Regular expression on variable paths, factor on the rate), the first match wins."""
        return []

    def callbacks(self, model) -> list:
        """What goes on around the steps."""
        return []

    def finish(self, model) -> None:
        """Folds what `prepare` added into the model's own variables."""

    def get_config(self) -> dict:
        """The arguments that make it again."""
        arguments = inspect.signature(type(self).__init__).parameters.values()
        return {a.name: getattr(self, a.name) for a in arguments if a.kind is a.KEYWORD_ONLY}


def check_together(policies: Sequence[Policy]) -> None:
    """Refuses two policies that decide the same.

    Raises:
        ValueError: naming both, and what they decide.
    """
    deciding = {}
    for policy in policies:
        name = type(policy).__module__.rpartition(".")[2]
        if policy.decides is None:
            continue
        if policy.decides in deciding:
            raise ValueError(
                f"{deciding[policy.decides]} and {name} both decide {policy.decides}; keep one."
            )
        deciding[policy.decides] = name
