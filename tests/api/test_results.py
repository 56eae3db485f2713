"""Runs and models as notebooks show them."""

import json
import shlex
import sys
import types

import numpy as np
import pytest
import tensorflow as tf

import ftkeras
from ftkeras.cli import flags
from ftkeras.errors import UserError
from tests import finished

pandas = pytest.importorskip("pandas")
TEXTS = ["Worth every minute.", "A dull mess.", "The cast was not good."]


@pytest.fixture
def run(finished_run, monkeypatch) -> ftkeras.Run:
    monkeypatch.chdir(finished_run)  # its exports are named relative to this folder
    return ftkeras.Run("run")


def test_run_has_its_metrics_history_and_predictions(run):
    assert run.metrics["test"]["accuracy"] >= 0.9
    assert list(run.history.index) == list(range(1, finished.EPOCHS + 1))
    found = run.predictions()
    recorded = finished.predictions(run.folder)
    assert list(found["id"]) == [row["id"] for row in recorded]
    assert list(found["probability_positive"]) == [row["probabilities"][1] for row in recorded]
    accuracy = (found["label"] == found["predicted"]).mean()
    assert accuracy == pytest.approx(run.metrics["test"]["accuracy"])
    confusion = run.confusion()
    assert confusion.loc["negative", "positive"] == len(
        found[(found["label"] == "negative") & (found["predicted"] == "positive")]
    )


def test_table_shows_the_metrics_of_each_split(run):
    accuracy = f"{run.metrics['test']['accuracy']:.4f}"
    for shown in (repr(run), run._repr_html_()):
        assert all(text in shown for text in ("accuracy", "validation", "test", accuracy))


def test_names_of_metrics_are_apart(run, monkeypatch):
    columns = ("f1", "exact_match")
    monkeypatch.setattr(ftkeras.Run, "_problem", types.SimpleNamespace(columns=columns))
    assert repr(run).splitlines()[1].split() == [*columns, "examples"]


def test_command_gives_the_same_configuration(run):
    program, *arguments = shlex.split(run.command)
    assert program == "ftkeras"
    config = flags.parse(arguments).config
    assert config == run.config


def test_plot_is_a_figure(run):
    pytest.importorskip("matplotlib")
    assert [axes.get_title() for axes in run.plot().axes] == [
        "validation loss",
        "validation accuracy",
    ]


def test_model_answers_as_a_frame_as_arrays_and_as_dicts(run):
    frame, answers = run.predict(TEXTS), run.model.answers(TEXTS)
    assert list(frame) == ["text", "predicted", "probability_negative", "probability_positive"]
    assert list(frame["text"]) == TEXTS
    assert run.predict(text for text in TEXTS).equals(frame)
    assert run.predict(tf.constant(TEXTS)).equals(frame)
    assert list(frame["predicted"]) == [answer["label"] for answer in answers]
    probabilities = run.model.predict_proba(TEXTS)
    np.testing.assert_allclose(frame["probability_positive"], probabilities[:, 1], atol=1e-6)
    assert run.model.predict_proba([]).shape == (0, 2)
    assert run.model.embed(TEXTS).shape == (3, 32)
    assert run.model.embed([]).shape == (0, 32)


def test_answers_keep_the_index_of_a_series(run):
    shuffled = pandas.DataFrame({"text": TEXTS}, index=[2, 0, 2])
    shuffled["predicted"] = run.predict(shuffled["text"])["predicted"]
    assert list(shuffled["predicted"]) == list(run.predict(TEXTS)["predicted"])
    assert list(run.predict(TEXTS).index) == [0, 1, 2]


def test_run_and_its_model_are_found_from_another_folder(run, tmp_path, monkeypatch):
    assert repr(run).startswith("Run('run')")
    assert repr(run.model).startswith("Model('saved_models/")
    model, other = ftkeras.load(run), ftkeras.Run("run")
    monkeypatch.chdir(tmp_path)
    assert not other.predictions().empty
    assert not other.predict(TEXTS).empty
    assert not model.predict(TEXTS).empty


def test_lone_surrogates_are_replaced_in_the_frame(run):
    assert list(run.predict(["a\ud800"])["text"]) == ["a?"]


def test_export_takes_no_settings_of_training(run):
    with pytest.raises(TypeError, match="unexpected keyword argument 'max_length'"):
        ftkeras.export(run, export="saved_model", max_length=8)


def test_model_explains_by_the_method_that_it_has(run):
    (explanation,) = run.model.explain(TEXTS[:1])
    assert explanation["method"] == "occlusion"  # exported without gradients
    assert explanation == run.model.explain(TEXTS[:1], method="occlusion")[0]


def test_home_may_be_written_as_a_tilde(finished_run, monkeypatch):
    monkeypatch.setenv("HOME", str(finished_run))
    assert ftkeras.Run("~/run").folder == finished_run / "run"


def test_predictions_of_a_cross_validation_have_a_column_for_each_label(tmp_path):
    fold = tmp_path / "repeat-0" / "fold-0"
    fold.mkdir(parents=True)
    (fold / "labels.json").write_text('["bad", "good"]')
    row = {"id": "train-3", "label": "bad", "probabilities": [0.75, 0.25], "fold": 0}
    (tmp_path / "predictions_out_of_fold.jsonl").write_text(json.dumps(row))
    folds = ftkeras.CrossValidation(tmp_path, {})
    columns = ["id", "label", "probability_bad", "probability_good", "fold"]
    assert list(folds.predictions()) == columns


def test_folders_that_hold_a_model_are_loaded(run):
    version = run.exports[0]
    for given in (run, "run", version.parent, str(version)):
        assert ftkeras.load(given).folder.samefile(version)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run: run.predict("a"), "`texts` must be a list or column of texts"),
        (lambda run: run.predict([1]), "`texts` must be texts. Received: 1"),
        (lambda run: run.predict(run.history), r"one column of texts, .* Received: a DataFrame"),
        (lambda run: run.predict({"text": ["a"]}), r"one column of texts, .* Received: a dict"),
        (
            lambda run: run.predict(None),
            "`texts` must be a list or column of texts.* Received: None",
        ),
        (
            lambda run: run.predict(["a"], ["b", "c"]),
            "`pairs` and `texts` must have the same .* 2 and 1",
        ),
        (lambda run: run.model.answers(["a"], batch_size=0), "`batch_size` must be an integer of"),
        (lambda run: run.model.embed(["a"], batch_size=1.5), "`batch_size` .* Received: 1.5"),
        (lambda run: run.predict(["a"], ["b"]), "`model` takes single texts, not pairs"),
        (
            lambda run: run.model.explain(["a"], method="integrated_gradients"),
            r"no signature explain.*saved_model\(explain=True\)",
        ),
        (lambda run: run.predictions("train"), r"`split` must be one .* \(test, validation\)"),
        (lambda run: ftkeras.Run("saved_models"), "saved_models is not the folder of a run"),
        (lambda run: ftkeras.load("runs/none"), "model=runs/none holds no SavedModel"),
        (lambda run: ftkeras.evaluate("none"), "none is not the folder of a run"),
        (lambda run: ftkeras.compare(run), "needs the folders of two or more"),
        (lambda run: ftkeras.compare([run, run]), "`run` must be .*; give several one by one. Rec"),
        (lambda run: ftkeras.evaluate(None), "`run` must be a finished run, .* Received: None"),
        (lambda run: ftkeras.report(3), "`run` must be a finished run, .* Received: 3"),
        (lambda run: ftkeras.dossier(None), "`run` must be a finished run, .* Received: None"),
        (lambda run: ftkeras.load(None), "`model` must be a finished run, .* Received: None"),
        (lambda run: ftkeras.evaluate(run, epochs=5), "`epochs` has no effect on evaluate; leave"),
        (
            lambda run: ftkeras.evaluate(run, seed=5),
            "`seed` can't be changed by evaluate.* trained with 0; leave it out,.* Received: 5",
        ),
        (lambda run: ftkeras.report(run, encoder="nope"), "`encoder` can't be changed by report"),
        (lambda run: run.explain(["a"], labels="positive"), r"`labels` .*, such as \['positive'\]"),
        (lambda run: run.explain(["a"], steps=0), "`steps` must be an integer of at least 1"),
        (lambda run: run.explain(["a"], batch_size=0), "`batch_size` must be an integer of at"),
    ],
)
def test_mistakes_are_named(run, call, message):
    with pytest.raises(UserError, match=message):
        call(run)


def test_without_pandas_a_remedy_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UserError, match=r"'ftkeras\[pandas\]'. .* read run/history.csv"):
        run.history  # noqa: B018
    with pytest.raises(UserError, match="`answers` returns dicts"):
        run.predict(TEXTS)
    assert len(run.model.answers(TEXTS)) == len(TEXTS)


def test_run_that_is_not_finished_is_refused(copy_of_finished_run):
    (copy_of_finished_run / "run" / "metrics.json").unlink()
    with pytest.raises(UserError, match="is not finished"):
        ftkeras.Run(copy_of_finished_run / "run")


def test_export_that_was_removed_is_named(copy_of_finished_run):
    exports = copy_of_finished_run / "run" / "exports.json"
    exports.write_text(json.dumps(["gone"]))
    with pytest.raises(UserError, match="was not exported as a SavedModel.*ftkeras.export"):
        ftkeras.load(copy_of_finished_run / "run")
