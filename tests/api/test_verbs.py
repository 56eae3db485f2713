"""Verbs called from Python, one real run after the other in this process."""

import random
import threading

import keras
import pytest

import ftkeras
from ftkeras.errors import UserError
from tests.finished import ENCODER

pandas = pytest.importorskip("pandas")
GOOD, BAD = ("wonderful", "moving", "charming"), ("dull", "silly", "dreadful")
FRAME = pandas.DataFrame(
    [
        {"title": f"The {what} was {word}, number {number}.", "stars": stars}
        for number, what in enumerate(["film", "plot", "cast", "music"] * 4)
        for words, stars in ((GOOD, "good"), (BAD, "bad"))
        for word in words
    ]
)
SETTINGS = {
    "encoder": ENCODER,
    "text_column": "title",
    "label_column": "stars",
    "max_length": 32,
    "epochs": 1,
    "batch_size": 16,
    "learning_rate": 1e-3,
    "export": "none",
    "verbose": 0,
}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_refused_run_leaves_nothing_behind(tmp_path):
    with pytest.raises(UserError, match="`text_column`: .* has no column 'text'"):
        ftkeras.train(FRAME, **SETTINGS | {"text_column": "text"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.matrix
def test_two_runs_in_a_process_and_one_in_a_thread_are_the_same():
    random.seed(7)
    expected = random.random()
    random.seed(7)
    runs = [ftkeras.train(train=FRAME, **SETTINGS)]
    assert random.random() == expected
    thread = threading.Thread(target=lambda: runs.append(ftkeras.train(FRAME, **SETTINGS)))
    thread.start()
    thread.join()
    assert len({run.folder for run in runs}) == 2
    one, other = (run.predictions() for run in runs)
    pandas.testing.assert_frame_equal(one, other)


class Steps(keras.callbacks.Callback):
    """Count the updates of a run, also when it is resumed."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1

    def state(self):
        return {"count": self.count}

    def restore_state(self, state):
        self.count = state["count"]


class Shown(ftkeras.Reporter):
    """Keep the messages, and the latest progress by title."""

    def __init__(self):
        self.lines, self.last = [], {}

    def message(self, text, *, is_warning):
        self.lines.append(text)

    def progress(self, title, done, total, details):
        self.last[title] = (done, total)


@pytest.mark.matrix
def test_callbacks_are_called_and_their_state_is_kept():
    steps = Steps()
    settings = SETTINGS | {"evaluate_every": 3, "track": "csv(every=2)"}
    shown = Shown()
    settings["verbose"] = 1
    run = ftkeras.train(FRAME, **settings, keep_state=True, callbacks=[steps], reporter=shown)
    assert "epoch 1/1" in shown.last
    assert any(done == total for done, total in shown.last.values())
    assert any("validation loss" in text for text in shown.lines)
    assert steps.count == run.metrics["train"]["steps"] > 3
    table = pandas.read_csv(run.folder / "steps.csv")
    assert table["step"].iloc[:3].tolist() == [2, 3, 4]
    assert table["val_loss"].notna().tolist()[:3] == [False, True, False]
    assert table["step"].iloc[-1] == steps.count
    again = Steps()
    ftkeras.train(FRAME, **settings | {"epochs": 2}, run_dir=run.folder, callbacks=[again])
    assert again.count == 2 * steps.count


@pytest.mark.matrix
def test_run_is_resumed_evaluated_and_exported():
    run = ftkeras.train(FRAME, **SETTINGS, keep_state=True)
    longer = ftkeras.train(FRAME, **SETTINGS | {"epochs": 2}, run_dir=run.folder)
    assert (longer.folder, len(longer.history)) == (run.folder, 2)
    with pytest.raises(UserError, match="`data`: .* has other examples"):
        ftkeras.train(FRAME.head(60), **SETTINGS, run_dir=run.folder)
    later = FRAME.rename(columns={"title": "t"}).head(8)
    with pytest.raises(UserError, match="has no column 'title'"):
        ftkeras.evaluate(run, data=later, verbose=0)
    assert [path.name for path in (run.folder / "data").iterdir()] == ["train.jsonl"]
    evaluation = ftkeras.evaluate(run, data=later, text_column="t", verbose=0)
    assert evaluation.splits == ("test",)
    assert len(evaluation.predictions()) == 8
    assert ftkeras.evaluate(run, verbose=0).name is None
    (path,) = ftkeras.export(run, export="saved_model(explain=True)", verbose=0)
    (row,) = ftkeras.load(path).explain(["The film was dull."])
    assert row["tokens"] == ["[CLS]", "the", "film", "was", "dull", ".", "[SEP]"]
    assert len(row["attributions"]) == 7
    assert row["label"] in ("good", "bad")
