"""Test what teachers answer, that they are asked once, and who is refused."""

import contextlib
import json
import pathlib

import numpy as np
import pytest

import ftkeras.corpora
from ftkeras.config.run import Config
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import build, feeds
from ftkeras.prediction.predictor import Predictor
from ftkeras.teachers import teacher_answers
from ftkeras.teachers.run import RunTeacher
from ftkeras.teachers.unlabelled import open_unlabelled

REVIEWS = pathlib.Path(ftkeras.corpora.__file__).parent / "reviews" / "train.tsv"
SMALL = {
    "encoder": "bert(vocabulary='reviews', layers=1, hidden=16, heads=2)",
    "max_length": 32,
    "export": (),
    "regularizer": ("distill",),
}
MORE = ("a wonderful film", "", "dull and boring , i left", "the ending was superb")


@pytest.fixture
def unlabelled(tmp_path):
    """Return a file of texts, one of them empty, and one of the test split."""
    path = tmp_path / "more.txt"
    path.write_text("\n".join(MORE) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module", autouse=True)
def data(tmp_path_factory):
    """Write few reviews, on which all runs here are trained; return their folder."""
    folder = tmp_path_factory.mktemp("data")
    header, *lines = REVIEWS.read_text(encoding="utf-8").splitlines()
    for name, rows in (("train", lines[:40]), ("validation", lines[40:50]), ("test", lines[50:60])):
        (folder / f"{name}.tsv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    SMALL["task"] = (
        "classification(train='train.tsv', validation='validation.tsv', test='test.tsv')"
    )
    SMALL["data_dir"] = str(folder)
    return folder


def _learn(*teachers, **settings):
    """Return the examples to train on, the answers to them, and the raw texts."""
    config = Config(**{**SMALL, **settings, "teacher": tuple(map(str, teachers))})
    experiment = build.experiment(config)
    found = teacher_answers.open_teachers(experiment)
    texts = open_unlabelled(config, experiment.task)
    with contextlib.ExitStack() as stack:
        opened = open_splits(config, experiment.task, experiment.text_layer, texts)
        splits = stack.enter_context(opened)
        answers = teacher_answers.learn(experiment, splits, found)
        examples = splits.with_unlabelled(splits.train)
        raw = list(splits.texts(examples.source).as_numpy_iterator())
        feed = feeds.training_feed(experiment, splits, answers)
        assert len(feed.examples) == len(examples)
    return examples, answers, [raw[row]["text"].decode() for row in examples.rows]


def _of_export(folder, texts):
    rows = Predictor(next((folder / "saved_models" / "quickstart").glob("[0-9]*"))).outputs(texts)
    return np.array([row["probabilities"] for row in rows])


@pytest.fixture(scope="module")
def exported(finished_run):
    return finished_run / "saved_models" / "quickstart"


def _run_of(finished_run) -> pathlib.Path:
    return finished_run / "run"


def test_answers_of_a_run_and_of_its_export_are_the_models(finished_run, exported, unlabelled):
    for teacher in (_run_of(finished_run), exported):
        examples, answers, texts = _learn(teacher, unlabelled=(str(unlabelled),))
        assert texts[40:] == [text for text in MORE if text]
        expected = _of_export(finished_run, texts)
        assert expected.std(axis=0).min() > 0.2  # they differ from text to text
        found = answers.values[answers.index[examples.rows]]
        np.testing.assert_allclose(found, expected, atol=2e-6)
        assert answers.labelled[examples.rows].tolist() == [True] * 40 + [False] * 3


@pytest.mark.matrix
def test_several_teachers_are_averaged(finished_run, copy_of_finished_run):
    """The second one's labels are swapped, in name and order."""
    other = copy_of_finished_run / "run"
    names = json.loads((other / "labels.json").read_text())
    (other / "labels.json").write_text(json.dumps(names[::-1]))
    examples, answers, texts = _learn(_run_of(finished_run), other)
    found = answers.values[answers.index[examples.rows]]
    np.testing.assert_allclose(found, 0.5, atol=1e-6)
    _, alone, _ = _learn(other)
    expected = _of_export(finished_run, texts)[:, ::-1]
    np.testing.assert_allclose(alone.values[alone.index[examples.rows]], expected, atol=2e-6)
    assert answers.teacher.split()[1] == alone.teacher


@pytest.mark.matrix
def test_a_teacher_is_asked_once(finished_run, copy_of_finished_run, tmp_path, monkeypatch, capsys):
    asked, real = [], RunTeacher.answer

    def counting(self, questions, texts, student):
        asked.append(len(questions))
        return real(self, questions, texts, student)

    monkeypatch.setattr(RunTeacher, "answer", counting)
    settings = {"cache_dir": str(tmp_path / "cache")}
    _, first, _ = _learn(_run_of(finished_run), **settings)
    capsys.readouterr()
    _, again, _ = _learn(_run_of(finished_run), **settings, seed=5, max_length=16)
    assert "answers to 40 texts, cached" in capsys.readouterr().out
    np.testing.assert_array_equal(again.values, first.values)
    assert asked == [40]
    _learn(_run_of(finished_run), **settings, train_examples=20)
    assert asked == [40, 20]
    _learn(copy_of_finished_run / "run", **settings)  # the same model in another folder
    assert asked == [40, 20]
    state = copy_of_finished_run / "run" / "problem.json"
    state.write_text(json.dumps({"problem": "classification", "temperature": 3.0}))
    _, softer, _ = _learn(copy_of_finished_run / "run", **settings)
    assert asked == [40, 20, 40]
    assert softer.teacher != first.teacher
    for damaged in (tmp_path / "cache" / "teacher_answers").glob("*/answers"):
        damaged.write_bytes(damaged.read_bytes()[:-4])
    _learn(_run_of(finished_run), **settings)
    assert asked == [40, 20, 40, 40]


@pytest.mark.matrix
def test_without_a_cache_it_answers_the_same(finished_run):
    _, answers, _ = _learn(_run_of(finished_run), cache_dir="none")
    _, again, _ = _learn(_run_of(finished_run), cache_dir="none")
    np.testing.assert_array_equal(again.values, answers.values)


def test_texts_that_are_held_out_are_not_learned_from(finished_run, data, tmp_path, capsys):
    held_out = (data / "test.tsv").read_text(encoding="utf-8").splitlines()[1].split("\t")[0]
    path = tmp_path / "copies.txt"
    path.write_text(f"{held_out}\nsomething else\n", encoding="utf-8")
    teacher = _run_of(finished_run)
    settings = {"unlabelled": (str(path),)}
    _, _, texts = _learn(teacher, **settings)
    assert texts[40:] == ["something else"]
    assert "leakage 1 of 2 texts are in test" in capsys.readouterr().out
    path.write_text(f"{held_out}\n", encoding="utf-8")
    with pytest.raises(UserError, match="^unlabelled=.*: no text is left"):
        _learn(teacher, **settings)
    path.write_text("\n\n", encoding="utf-8")
    with pytest.raises(UserError, match="^unlabelled=.* has no text."):
        _learn(teacher, **settings)


def test_a_teacher_of_other_splits_is_reported(finished_run, capsys):
    def note(**settings):
        own = {**SMALL, "task": "quickstart", "data_dir": None, **settings}
        config = Config(**own, teacher=(str(_run_of(finished_run)),))
        teacher_answers.open_teachers(build.experiment(config))
        return capsys.readouterr().out

    assert "was trained with another" not in note(max_length=40)
    assert "was trained with another data_seed, so it may have" in note(data_seed=1)
    # Which texts of folds are held out together depends on their tokens.
    assert "another folds, fold, train_examples, encoder, max_length, so" in note(
        max_length=40, folds=2, fold=0
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ["bad", "good"]}, "has the outputs 'bad', 'good', but this run has"),
        ({"labels": ["negative"]}, "has the outputs 'negative', but"),
        ({"problem": {"problem": "multiple_choice"}}, "is a multiple-choice model, but this run"),
        ({"inputs": {"pairs": True}}, "takes pairs of texts, but this run is trained on single"),
    ],
)
def test_teachers_of_something_else_are_refused(change, message, copy_of_finished_run):
    folder = copy_of_finished_run / "run"
    for name, content in change.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=message) as refused:
        _learn(folder)
    assert str(refused.value).startswith(f"teacher={folder} ")
    assert "\n" not in str(refused.value)


def test_what_is_no_trained_model_is_refused(copy_of_finished_run, tmp_path):
    with pytest.raises(UserError, match="is neither the folder of a run nor an exported model"):
        _learn(tmp_path)
    (copy_of_finished_run / "run" / "weights.safetensors").unlink()
    with pytest.raises(UserError, match="is a run without weights"):
        _learn(copy_of_finished_run / "run")
    version = next((copy_of_finished_run / "saved_models" / "quickstart").glob("[0-9]*"))
    (version / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(UserError, match="^teacher=.* can't be loaded"):
        _learn(version)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"regularizer": ()}, "^teacher=x needs `regularizer`=distill, which says how"),
        ({"teacher": ()}, "^regularizer=distill needs `teacher`, the folder of a run"),
        ({"teacher": (), "regularizer": (), "unlabelled": ("y",)}, "^unlabelled=y needs `teacher`"),
        ({"unlabelled": ("-",)}, "^unlabelled=- is read several times, so it must be a file"),
    ],
)
def test_settings_that_lack_each_other_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        Config(**{**SMALL, "teacher": ("x",), **settings})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"regularizer": ("distill", "freelb")}, "can't be combined: each replaces"),
        ({"task": "positive_pairs(train='x.csv')"}, "can't be used with a sentence embedding"),
        ({"task": "masked_lm(train='x.txt')"}, "can't be used with a masked language model"),
        (
            {"task": "token_classification(train='x.conll')", "head": "crf"},
            "can't be used with head=crf",
        ),
        (
            {"task": "regression(train='x.csv')", "regularizer": ("distill(temperature=2)",)},
            "`temperature` can't be used with a .*, as numbers have none",
        ),
        (
            {"task": "similarity(train='x.csv')", "regularizer": ("distill(temperature=2)",)},
            "`temperature` can't be used with a .*, as cosines have none",
        ),
    ],
)
def test_what_distillation_does_not_fit_is_refused(settings, message):
    with pytest.raises(UserError, match=message):
        build.experiment(Config(**{**SMALL, "teacher": ("x",), **settings}))
