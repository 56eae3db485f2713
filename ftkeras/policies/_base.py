class Policy:
    """What every policy may do; here, nothing."""

    def prepare(self, model) -> None:
        """Changes the model once, before it is compiled."""

    def multipliers(self, model) -> list[tuple[str, float]]:
        """(Regular expression on variable paths, factor on the rate), the first match wins."""
        return []

    def callbacks(self, model) -> list:
        """What goes on around the steps."""
        return []

    def finish(self, model) -> None:
        """Folds what `prepare` added into the model's own variables."""
