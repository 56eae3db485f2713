from ftkeras.averages._base import WeightAverage


class Swa(WeightAverage):
    """Stochastic weight averaging: the mean of the weights after each epoch of the run's last part.

    average <- average + (weights - average) / n          n epochs in it, this one counted

    An epoch is in it when it ends after `start` of the run; before, the weights themselves are
    measured and kept. A schedule whose rate does not fall to 0 gives it more to average.
    Source: Izmailov et al., 2018, algorithm 1, https://arxiv.org/abs/1803.05407.

    Args:
        epochs: epochs of the run; at least 2.
        start: share of the run that is not in the average; at least 0, and below the share at
            which the last epoch but one ends.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(self, *, epochs: int, start: float = 0.5):
        if epochs < 2:
            raise ValueError(f"`epochs` must be at least 2 for an average. Received: {epochs}.")
        if not 0 <= start < 1 - 1 / epochs:
            raise ValueError(
                f"`start` must be at least 0 and below {1 - 1 / epochs:.4g}, to have two of "
                f"{epochs} epochs to average. Received: {start}."
            )
        super().__init__()
        self.epochs, self.start = epochs, start

    def share(self, count):
        return 1 / count

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._ends_at = (epoch + 1) / self.epochs

    def epoch_trained(self):
        if self._ends_at > self.start:
            self.take()
