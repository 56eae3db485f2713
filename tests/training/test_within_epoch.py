"""Validation within an epoch."""

import io
from types import SimpleNamespace

import pytest

from ftkeras.averages.ema import Ema
from ftkeras.data.feed import OrderedFeed
from ftkeras.training import epochs
from ftkeras.training.best import BestEpoch
from ftkeras.training.callback import Callback
from ftkeras.training.progress import Progress
from ftkeras.training.tracking import Tracking
from ftkeras.training.within_epoch import WithinEpoch


class Memory:
    """A tracker that remembers, and fails when it is told to."""

    def __init__(self, every=1, fails_at=None):
        self.every, self.fails_at, self.rows = every, fails_at, []

    def log(self, metrics, step):
        if step == self.fails_at:
            raise ConnectionError("no route to host")
        self.rows.append((step, dict(metrics)))


class Losses(Callback):
    """Remember the training loss and the weight after each step."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append((float(logs["loss"]), float(self.model.weight.value)))


def _within(feed, folder, *, averages=(), tracker=None, every=3):
    """Return the callbacks of a run of two epochs of four updates."""
    best = BestEpoch(folder, objective="loss", patience=None)
    progress = Progress(feed, epochs=2, stream=io.StringIO())
    tracking = Tracking({"memory": tracker or Memory()}, feed)
    within = WithinEpoch(
        OrderedFeed(feed.examples, feed.batching),
        feed,
        every=every,
        metrics=[],
        averages=averages,
        best=best,
        progress=progress,
        tracking=tracking,
        path=folder / "evaluations.csv",
    )
    return [best, progress, *averages, tracking, within]


def _fit(model, feed, callbacks):
    validation = OrderedFeed(feed.examples, feed.batching)
    epochs.fit(model, feed, epochs=2, validation=validation, callbacks=callbacks)


@pytest.mark.parametrize(
    "averages",
    [(), pytest.param((0.5,), marks=pytest.mark.matrix)],
    ids=["plain", "averaged"],
)
def test_validation_within_an_epoch_leaves_training_as_it_is(model, feed, tmp_path, averages):
    averages = [Ema(decay=decay) for decay in averages]
    losses, plain = Losses(), Losses()
    variables = [*model.variables, *model.optimizer.variables]
    start = [variable.numpy() for variable in variables]
    memory = Memory(every=2)
    callbacks = _within(feed, tmp_path, averages=averages, tracker=memory)
    _fit(model, feed, [*callbacks, losses])
    table = (tmp_path / "evaluations.csv").read_text().splitlines()
    assert table[0] == "epoch,step,val_loss"
    assert [row.rsplit(",", 1)[0] for row in table[1:]] == ["1,3", "2,3"]
    assert "epoch 2/2, step 3 · validation loss" in callbacks[1].stream.getvalue()
    for variable, value in zip(variables, start, strict=True):
        variable.assign(value)
    _fit(model, feed, [plain])
    assert losses.seen == plain.seen
    _check_records(memory.rows)


def test_best_weights_may_be_of_a_validation_within_an_epoch(model, feed, tmp_path):
    best = BestEpoch(tmp_path, objective="loss", patience=1)
    best.set_model(model)
    for weight, loss, position in ((1, 0.5, (0, None)), (2, 0.3, (1, 200)), (3, 0.4, (1, None))):
        model.weight.assign(weight)
        logs = {"loss": 1.0, "val_loss": loss}
        if position[1] is None:
            best.on_epoch_end(position[0], logs)
        else:
            best.offer(logs, epoch=position[0], step=position[1])
    resumed = BestEpoch(tmp_path, objective="loss", patience=1)
    resumed.restore_state(best.state())
    resumed.restore(model)
    assert (resumed.epoch, resumed.step, resumed.value) == (1, 200, 0.3)
    assert float(model.weight.value) == 2
    resumed.remove_unneeded([resumed.state()])
    assert [path.name for path in tmp_path.iterdir()] == ["best-00002-000000200.safetensors"]


def _check_records(rows):
    """Check what was tracked of two epochs of four updates."""
    steps = [step for step, _ in rows]
    # every second update, validation after the third of each epoch, and the ends of the epochs
    assert steps == [2, 3, 4, 4, 6, 7, 8, 8]
    by_step = dict(rows)
    assert by_step[2].keys() == {"loss", "learning_rate", "gradient_norm"}
    assert by_step[3].keys() == {"val_loss"}
    assert by_step[8].keys() == {"loss", "val_loss", "learning_rate", "gradient_norm", "epoch"}
    assert by_step[8]["epoch"] == 2
    assert by_step[2]["gradient_norm"] > 0


def test_tracker_that_fails_is_dropped_with_a_warning(feed, caplog):
    broken, other = Memory(fails_at=3), Memory()
    tracking = Tracking({"a": broken, "b": other}, feed)
    norm = SimpleNamespace(numpy=lambda: 2.0)
    optimizer = SimpleNamespace(last_learning_rate=lambda: 0.1, gradient_norm=norm)
    tracking.set_model(SimpleNamespace(optimizer=optimizer))
    tracking.on_epoch_begin(0)
    for batch in range(4):
        tracking.on_train_batch_end(batch, {"loss": 0.5})
    assert [step for step, _ in broken.rows] == [1, 2]
    assert [step for step, _ in other.rows] == [1, 2, 3, 4]
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert warnings == ["`track`=a failed, and records nothing more of this run: no route to host"]
