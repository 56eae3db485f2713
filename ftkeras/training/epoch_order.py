import keras


class EpochOrder(keras.callbacks.Callback):
    """Tells a feed which epoch begins, so that the order depends on (seed, epoch) only."""

    def __init__(self, feed):
        super().__init__()
        self.feed = feed

    def on_epoch_begin(self, epoch, logs=None):
        self.feed.epoch = epoch
