"""The section about calibration."""

import json

import pytest

from ftkeras.figures.parts import KeyNumbers, Missing, Notice, Plot, Table
from ftkeras.pages import calibration, page
from tests.pages import finished_runs


def _parts(section, kind):
    return [part for part in section.parts if isinstance(part, kind)]


def test_section_has_the_numbers_of_the_predictions(tmp_path):
    view = finished_runs.classes(tmp_path, ["no", "yes", "maybe"], examples=400)
    section = calibration.section(view)
    expected = view.problem.forecasts(view.rows).measure()
    assert {n: f["value"] for n, f in section.figures.items()} == pytest.approx(expected)
    (tiles,) = _parts(section, KeyNumbers)
    assert tiles.numbers[0].value == f"{expected['ece']:.3f}"
    bins, thresholds = _parts(section, Table)
    assert sum(row[2] for row in bins.rows) == 400
    for required, least, share in thresholds.rows:
        chosen = [row for row in view.rows if max(row["probabilities"]) >= (least or 2)]
        right = sum(row["label"] == row["predicted"] for row in chosen)
        assert least is None or right / len(chosen) >= required
        assert share is None or share == len(chosen) / 400
    assert [plot.name for plot in _parts(section, Plot)] == ["reliability", "coverage"]
    assert "came true" in _parts(section, Plot)[0].alt
    json.dumps(page.figures([section]))


def test_calibrated_run_says_so_and_others_are_advised(tmp_path):
    view = finished_runs.classes(tmp_path / "a", ["no", "yes"], examples=400)
    view.problem.restore_state({"temperature": 1.5})
    (notice,) = _parts(calibration.section(view), Notice)
    assert "temperature 1.500" in notice.text
    assert "still not reliable here" in notice.text
    assert calibration.section(view).figures["temperature"]["value"] == 1.5
    rows = [{"label": "no", "predicted": "yes", "probabilities": [0.1, 0.9]}] * 50
    finished_runs.write(tmp_path / "b", ["no", "yes"], rows, {"test": {}})
    wrong = finished_runs.read(tmp_path / "b", finished_runs.NoTexts("no texts"))
    (notice,) = _parts(calibration.section(wrong), Notice)
    assert "--calibrate fits them to validation without changing a label" in notice.text


def test_thresholds_of_a_sure_model_have_all_digits(tmp_path):
    rows = [
        {"label": ("no", "yes")[n != 0], "predicted": "yes", "probabilities": [0, 0.9999 + n / 1e6]}
        for n in range(50)
    ]
    finished_runs.write(tmp_path, ["no", "yes"], rows, {"test": {}})
    section = calibration.section(finished_runs.read(tmp_path, finished_runs.NoTexts("")))
    thresholds = _parts(section, Table)[-1]
    assert thresholds.rows[-1][1] == 0.999901
    assert thresholds.columns[1].format.format(0.9999576) == "0.9999576"


def test_missing_predictions_and_problems_without_probabilities(tmp_path):
    view = finished_runs.classes(tmp_path / "a", ["no", "yes"])
    (view.folder / "predictions.jsonl").unlink()
    (part,) = calibration.section(view).parts
    assert isinstance(part, Missing)
    assert "can't be read" in part.reason
    state = {"problem": "regression", "scale": "none", "mean": [0.0], "sd": [1.0]}
    rows = [{"targets": [1.0], "values": [1.1]}] * 3
    finished_runs.write(
        tmp_path / "b", ["score"], rows, {"test": {}}, task="regression", state=state
    )
    (part,) = calibration.section(
        finished_runs.read(tmp_path / "b", finished_runs.NoTexts(""))
    ).parts
    assert "gives no probabilities" in part.reason
