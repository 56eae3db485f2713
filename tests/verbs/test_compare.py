import dataclasses
import json
import pathlib
import sys

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from ftkeras import corpora
from ftkeras.cli import flags
from ftkeras.config import flagfile
from ftkeras.config.measuring import CompareConfig, CrossvalidateConfig
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.pages import comparison_page
from ftkeras.runs import example_texts, layout
from ftkeras.statistics import significance
from ftkeras.support import files
from ftkeras.verbs import compare

WRITE_PAGE = comparison_page.write
COUNT = 120
LABELS = np.arange(COUNT) % 2


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    # Plots take seconds, so one test writes the page.
    monkeypatch.setattr(comparison_page, "write", lambda path, *of: path)


def _given(skill: float, draw: int) -> np.ndarray:
    """Return the probabilities of the second label that a run of this skill predicts, [COUNT]."""
    noise = np.random.default_rng(draw).normal(size=COUNT)
    return 1 / (1 + np.exp(-(noise + skill * (2 * LABELS - 1))))


def _lines(given: np.ndarray, *, split: str = "test", more=None, labels=LABELS) -> str:
    rows = [
        {
            **({key: int(values[row]) for key, values in more.items()} if more else {}),
            "id": f"{split}-{row}",
            "label": "ab"[labels[row]],
            "predicted": "ab"[int(p > 0.5)],
            "probabilities": [1 - float(p), float(p)],
        }
        for row, p in enumerate(given)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def _run(name: str, *, skill: float = 1.0, split: str = "test", labels=LABELS, **settings) -> str:
    """Write the folder of a finished run, with the files that `compare` reads."""
    config = Config(**{"task": "quickstart", "epochs": 3, **settings})
    folder = pathlib.Path(name)
    file = {"test": "predictions.jsonl", "validation": "predictions_validation.jsonl"}[split]
    given = _given(skill, 10 * config.seed + config.epochs)
    files.write_text(folder / file, _lines(given, split=split, labels=labels))
    files.write_text(folder / "run.cfg", flagfile.render(config))
    files.write_json(folder / "labels.json", ["a", "b"])
    rows = ["epoch,loss,val_loss,val_accuracy", "1,1.0,0.7,0.6", f"2,0.5,{1 - skill / 9},0.7"]
    files.write_text(folder / "history.csv", "\n".join(rows) + "\n")
    return name


def _crossvalidated(name: str, *, skill: float, repeats: int = 1, **settings) -> str:
    folder = pathlib.Path(name)
    config = CrossvalidateConfig(task="quickstart", folds=4, repeats=repeats, **settings)
    lines = [
        _lines(
            _given(skill, 7 * repeat),
            split="validation",
            more={"repeat": np.full(COUNT, repeat), "fold": (np.arange(COUNT) + repeat) // 2 % 4},
        )
        for repeat in range(repeats)
    ]
    files.write_text(folder / layout.OUT_OF_FOLD_PREDICTIONS, "".join(lines))
    files.write_text(folder / layout.CROSSVALIDATION_SETTINGS, flagfile.render(config))
    files.write_json(folder / "repeat-0" / "fold-0" / "labels.json", ["a", "b"])
    return name


def _compared(*folders: str, **settings) -> dict:
    config = CompareConfig(folders=folders, **{"resamples": 500, "disagreements": 0, **settings})
    compare.run(config)
    return json.loads((pathlib.Path(config.output) / compare.RESULT).read_text())


def test_metrics_are_those_of_the_predictions():
    result = _compared(_run("a", skill=0.4), _run("b", epochs=2, skill=1.5))
    figures = result["ways"][0]["figures"]
    given = _given(0.4, 3)
    assert figures["accuracy"]["value"] == pytest.approx(accuracy_score(LABELS, given > 0.5))
    assert figures["auc"]["value"] == pytest.approx(roc_auc_score(LABELS, given))
    for figure in [*figures.values(), *result["pairs"][0]["differences"].values()]:
        assert figure["low"] <= figure["value"] <= figure["high"]


def test_order_of_the_lines_does_not_matter():
    folders = [_run("a"), _run("b", epochs=2)]
    before = _compared(*folders)
    path = pathlib.Path("b/predictions.jsonl")
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    assert _compared(*folders) == before


def test_two_runs_are_compared_by_mcnemar(capsys):
    result = _compared(_run("a", skill=0.2), _run("b", skill=2.0, epochs=2))
    pair = result["pairs"][0]
    right = [(_given(0.2, 3) > 0.5) == LABELS, (_given(2.0, 2) > 0.5) == LABELS]
    assert pair["mcnemar"] == significance.mcnemar(*right)
    assert pair["p_value"] == pair["p_value_holm"] == pair["mcnemar"]["p_value"]
    apart = pair["differences"]["accuracy"]
    assert apart["value"] == pytest.approx(right[1].mean() - right[0].mean())
    assert result["conclusions"][0].startswith("B is more accurate than A by ")
    assert "run with one seed" in result["conclusions"][-1]
    assert f"{100 * apart['value']:.1f} points" in capsys.readouterr().out


def test_the_first_run_may_be_better():
    result = _compared(_run("a", skill=2.0), _run("b", skill=0.1, epochs=2))
    apart = result["pairs"][0]["differences"]["accuracy"]
    low, high = -100 * apart["high"], -100 * apart["low"]
    assert f"A is more accurate than B by {-100 * apart['value']:.1f}" in result["conclusions"][0]
    assert f"[{low:.1f}, {high:.1f}]" in result["conclusions"][0]


def test_similar_runs_are_not_distinguished():
    result = _compared(_run("a"), _run("b", epochs=2))
    assert result["conclusions"][0].startswith("No difference in accuracy is shown between A and B")
    assert "says nothing about other data" in result["conclusions"][1]


def test_runs_that_differ_in_the_seed_are_one_recipe():
    folders = [_run(f"a{seed}", seed=seed) for seed in range(3)]
    folders += [_run(f"b{seed}", seed=seed, skill=3.0, epochs=2) for seed in range(2)]
    result = _compared(*folders)
    assert [way["folders"] for way in result["ways"]] == [folders[:3], folders[3:]]
    assert result["ways"][1]["settings"] == {"epochs": 2}
    accuracies = result["ways"][0]["accuracies"]
    assert result["ways"][0]["figures"]["accuracy"]["value"] == pytest.approx(np.mean(accuracies))
    assert result["pairs"][0]["test"] == "paired bootstrap"
    assert "2 to 3 seeds per recipe" in result["conclusions"][-1]


def test_seeds_of_one_recipe_have_mean_and_sd(capsys):
    folders = [_run(f"a{seed}", seed=seed) for seed in range(3)]
    result = _compared(*folders, disagreements=5)
    (way,) = result["ways"]
    accuracies = way["accuracies"]
    assert way["over_runs"]["accuracy"] == pytest.approx(
        {"mean": np.mean(accuracies), "sd": np.std(accuracies, ddof=1)}
    )
    assert way["figures"]["accuracy"]["low"] < np.mean(accuracies)
    assert result["pairs"] == result["disagreements"] == []
    shown = capsys.readouterr().out
    assert f"{np.mean(accuracies):.4f} ± {np.std(accuracies, ddof=1):.4f}" in shown
    assert "3 seeds of one recipe, so nothing is compared" in shown


def test_p_values_of_many_recipes_are_corrected():
    ways = {"a": 0.1, "b": 1.0, "c": 3.0}
    result = _compared(*(_run(n, skill=s, epochs=e + 1) for e, (n, s) in enumerate(ways.items())))
    p_values = [pair["p_value"] for pair in result["pairs"]]
    assert [(p["first"], p["second"]) for p in result["pairs"]] == [*map(tuple, ("AB", "AC", "BC"))]
    holm = [pair["p_value_holm"] for pair in result["pairs"]]
    assert holm == pytest.approx(significance.holm(p_values))


def test_cross_validations_are_compared_fold_by_fold(capsys):
    folders = [
        _crossvalidated("a", skill=0.5, repeats=2),
        _crossvalidated("b", skill=2.0, repeats=2, epochs=2),
    ]
    result = _compared(*folders)
    assert (result["split"], result["examples"]) == ("out-of-fold", COUNT)
    by_fold = []
    for repeat in range(2):
        right = [(_given(skill, 7 * repeat) > 0.5) == LABELS for skill in (0.5, 2.0)]
        fold_of = (np.arange(COUNT) + repeat) // 2 % 4
        by_fold += [(right[1] * 1.0 - right[0])[fold_of == fold].mean() for fold in range(4)]
    expected = significance.corrected_t(by_fold, test_share=1 / 3)
    pair = result["pairs"][0]
    assert pair["test"] == "corrected t over folds"
    assert pair["p_value"] == pytest.approx(expected.p_value)
    assert pair["over_folds"]["low"] == pytest.approx(expected.low)
    assert "trained on 3 of 4 folds" in " ".join(result["conclusions"])
    assert "a repeat's out-of-fold predictions together" in capsys.readouterr().out


def test_disagreements_have_the_most_different_probabilities(capsys):
    folders = [_run("a", skill=0.5), _run("b", skill=2.0, epochs=2)]
    found = _compared(*folders, disagreements=3)["disagreements"]
    given = [np.where(LABELS, p, 1 - p) for p in (_given(0.5, 3), _given(2.0, 2))]
    expected = np.argsort(-np.abs(given[0] - given[1]))[:3]
    assert [row["id"] for row in found] == [f"test-{row}" for row in expected]
    assert found[0]["probability_of_label"]["B"] == pytest.approx(given[1][expected[0]])
    assert found[0]["text"]
    assert found[0]["text"][:40] in capsys.readouterr().out


def test_without_the_data_only_the_texts_are_missing(capsys):
    folders = [_run("a", data_dir="gone"), _run("b", epochs=2, data_dir="gone")]
    found = _compared(*folders, disagreements=2)["disagreements"]
    assert [row["text"] for row in found] == [None, None]
    assert "note: no texts are shown: --data" in capsys.readouterr().out


def _files() -> tuple[str, ...]:
    corpus = pathlib.Path(corpora.__file__).parent / "reviews"
    lines = [(corpus / f"{n}.tsv").read_text().splitlines()[1:] for n in ("train", "validation")]
    return tuple(line.split("\t") for line in (lines[0][5], lines[1][5], lines[0][-1], lines[1][0]))


@pytest.mark.matrix
def test_id_names_the_row_of_its_split():
    train, validation, last, first = _files()
    plain, folded = Config(task="quickstart"), Config(task="quickstart", folds=2, fold=0)
    assert example_texts.read(plain, ["validation-5"])["validation-5"] in validation
    with open(pathlib.Path(corpora.__file__).parent / "reviews" / "train.tsv") as file:
        count = sum(1 for line in file) - 1
    ids = ["validation-5", f"validation-{count - 1}", f"validation-{count}"]
    found = example_texts.read(folded, ids)
    for one, row in zip(ids, (train, last, first), strict=True):
        assert found[one] in row


def test_curves_of_all_recipes_are_plotted():
    _compared(_run("a"), _run("a1", seed=1), _run("b", epochs=2), output="out")
    picture = pathlib.Path("out/curves.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 10_000


def test_comparison_needs_no_matplotlib(monkeypatch, capsys):
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    _compared(_run("a"), _run("b", epochs=2))
    output = capsys.readouterr().out
    assert "note: plots need matplotlib: pip install 'ftkeras[plot]'" in output
    assert "page    not written: pages need matplotlib and jinja2" in output


def test_comparison_has_a_page(monkeypatch):
    monkeypatch.setattr(comparison_page, "write", WRITE_PAGE)
    _compared(_run("a"), _run("b", epochs=2), output="out")
    assert "<h1>Comparison</h1>" in pathlib.Path("out/compare.html").read_text(encoding="utf-8")


def _broken(name: str) -> str:
    folder = _run(name, epochs=2)
    (pathlib.Path(folder) / "predictions.jsonl").write_text('{"id": ')
    return folder


def _other_examples(name: str) -> str:
    folder = pathlib.Path(_run(name, epochs=2))
    lines = (folder / "predictions.jsonl").read_text().splitlines()
    (folder / "predictions.jsonl").write_text("\n".join(lines[:100]) + "\n")
    return str(folder)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            lambda: "nowhere",
            "nowhere is not the folder of a run .*run.cfg nor crossval",
        ),
        (lambda: _broken("b"), "b is not finished.*predictions.jsonl can't be read"),
        (lambda: _run("b", split="validation"), "split=test: b is not finished"),
        (
            lambda: _other_examples("b"),
            r"a and b .*different examples \(120 and 100, 100 in comm",
        ),
        (
            lambda: _run("b", labels=1 - LABELS),
            "a and b .*different data: test-0 and 119 more",
        ),
        (lambda: "a", "a and a are the same run"),
        (lambda: _run("b"), "a and b are the same run: they have the same settings and seed 0"),
        (lambda: _crossvalidated("b", skill=1.0), "a and b were evaluated on different examples"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(second, message):
    with pytest.raises(UserError, match=message) as refused:
        _compared(_run("a"), second())
    assert "\n" not in str(refused.value)


def test_a_cross_validation_that_is_being_extended_is_not_finished():
    name = _crossvalidated("b", skill=1.0)
    settings = pathlib.Path(name) / "crossvalidation.cfg"
    before = flagfile.read(settings, CrossvalidateConfig)
    more = dataclasses.replace(before, repeats=before.repeats + 1)
    settings.write_text(flagfile.render(more))
    with pytest.raises(UserError, match=r"b is not finished: it has no predictions of repeat"):
        _compared(name, _crossvalidated("c", skill=0.5))


def test_comparison_on_validation_warns_of_optimism():
    folders = [_run("a", split="validation"), _run("b", split="validation", epochs=2)]
    result = _compared(*folders, split="validation")
    assert "optimistic because they also picked each run's best epoch" in " ".join(
        result["conclusions"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare"], "two or more finished runs, such as runs/a runs/b. Received: none"),
        (["compare", "a"], "Received: a"),
        (["compare", "a", "b", "--split=train"], "`split` must be test or validation"),
        (["compare", "a", "b", "--confidence=1"], "`confidence` must be"),
        (["compare", "a", "b", "--resamples=9"], "`resamples` must be at least 100"),
    ],
)
def test_wrong_command_line_is_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        flags.parse(arguments)


def test_folders_may_stand_between_flags():
    config = flags.parse(["compare", "a", "--seed=3", "b", "--output", "out", "c"]).config
    assert (config.folders, config.seed, config.output) == (("a", "b", "c"), 3, "out")


def test_equal_runs_are_not_said_to_differ_by_nothing_at_most():
    result = _compared(_run("a"), _run("b", learning_rate=1e-3))
    assert result["disagreements"] == []
    assert "can't tell how large a difference could be" in result["conclusions"][0]
