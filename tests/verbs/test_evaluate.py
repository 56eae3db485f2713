"""A run is evaluated on other data, and keeps its own results."""

import json

import pytest

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.experiment import other_data
from ftkeras.runs import inputs
from tests.running import call_ftkeras, succeed

TASK = "classification(train='a.csv', labels={'0': 'bad', '1': 'good'}, header=False)"


def _plan(folder, config: Config) -> other_data.Plan:
    (folder / "run.cfg").write_text(flagfile.render(Config(task=TASK, name="own")))
    inputs.write(folder, {"pairs": False, "text": ["1"], "pair": None, "label": "0"})
    return other_data.plan(config, folder)


def test_same_data_is_evaluated_again(tmp_path):
    config = Config(task=TASK, name="own", batch_size=64, cache_dir="none")
    assert _plan(tmp_path, config) == other_data.Plan(config, None, has_own_task=True)
    assert _plan(tmp_path, Config(task=TASK, name="own", head="classification")).name is None


def test_other_settings_of_the_data_do_not_replace_the_results(tmp_path):
    for given in ({"test_examples": 9}, {"data_seed": 3}, {"max_length": 99}):
        config = Config(task=TASK, name="own", **given)
        assert _plan(tmp_path, config) == other_data.Plan(config, "own", has_own_task=True)
    assert _plan(tmp_path, Config(task=TASK, name="mine")).name == "mine"


def test_other_files_are_read_with_the_columns_and_labels_of_the_run(tmp_path):
    found = _plan(tmp_path, Config(data=("some/later.csv",), name="own"))
    assert (found.name, found.has_own_task) == ("later", False)
    assert found.config.task == (
        "classification(train='some/later.csv', text='1', label='0', "
        "labels={'0': 'bad', '1': 'good'}, header=False)"
    )
    given = {"data": ("later.tsv",), "label_column": "stars", "label_names": "0=good,1=bad"}
    assert _plan(tmp_path, Config(**given)).config.task == (
        "classification(train='later.tsv', text='1', label='stars', "
        "labels={'0': 'good', '1': 'bad'})"
    )


def test_only_the_test_data_of_another_task_is_read(tmp_path):
    other = Config(task="classification(train='x.csv', test='y.csv', validation='z.csv', text='t')")
    assert _plan(tmp_path, other).config.task == (
        "classification(train='y.csv', text='t', label='0', "
        "labels={'0': 'bad', '1': 'good'}, header=False)"
    )
    assert _plan(tmp_path, Config(task="imdb")).config.task == "imdb"


def test_results_on_other_data_stand_beside_those_of_the_run(copy_of_finished_run):
    home = copy_of_finished_run
    own = {path.name: path.read_bytes() for path in (home / "run").iterdir() if path.is_file()}
    rows = ["text\tlabel", "Worth every minute.\t1", "A waste of time.\t0", "Dull and slow.\t0"]
    (home / "later.tsv").write_text("\n".join(rows) + "\n")
    command = ["evaluate", "--run_dir=run", "--test_data=later.tsv"]
    output = succeed(*command, "--label_names=0=negative,1=positive", cwd=home)
    assert "metrics run/metrics-later.json" in output
    found = json.loads((home / "run" / "metrics-later.json").read_text())
    assert (found["test"]["examples"], found["test"]["accuracy"]) == (3, 1.0)
    assert found["confusion"] == [[2, 0], [0, 1]]
    lines = (home / "run" / "predictions-later.jsonl").read_text().splitlines()
    assert [json.loads(line)["label"] for line in lines] == ["positive", "negative", "negative"]
    done = call_ftkeras(*command, cwd=home)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "ftkeras: --data: line 2 of 'later.tsv' has the label '1'; the labels are 'negative', "
        "'positive'."
    ]
    assert {name: (home / "run" / name).read_bytes() for name in own} == own


@pytest.mark.parametrize("names", ["0=awful,1=positive", "awful,positive"])
def test_label_that_the_run_does_not_have_is_refused(copy_of_finished_run, names):
    (copy_of_finished_run / "later.tsv").write_text("text\tlabel\nFine\t1\nDull\t0\n")
    command = ["evaluate", "--run_dir=run", "--data=later.tsv", f"--label_names={names}"]
    done = call_ftkeras(*command, cwd=copy_of_finished_run)
    assert done.returncode == 2
    assert "--label_names gives 'awful', but the labels of the run are" in done.stderr
