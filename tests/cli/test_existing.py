"""Missing files and folders are reported before TensorFlow is imported."""

import subprocess
import sys

import pytest

from ftkeras.cli import existing, flags
from ftkeras.errors import UserError


@pytest.fixture(autouse=True)
def _empty_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.csv").write_text("text,label\na,b\n")


def _check(line):
    command = flags.parse(line.split())
    existing.check(command.verb, command.config)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("evaluate --run_dir=no", "run_dir=no is not the folder of a run: it has no run.cfg."),
        ("dossier --run_dir=no", "run_dir=no is not the folder of a run"),
        ("select --run_dir=no --data=there.csv", "run_dir=no is not the folder of a run"),
        ("explain --run_dir=no --text=a", "run_dir=no is not the folder of a run"),
        ("drift --run_dir=no --statistics=there.csv", "run_dir=no is not the folder of a run"),
        ("push --run_dir=no --repo=a/b", "run_dir=no is not the folder of a run"),
        ("explain --model=no --text=a", "model=no: there is no such folder"),
        ("serve --model=no", "model=no: there is no such folder"),
        ("deploy --model=no", "model=no: there is no such folder"),
        ("compare no other", "no is not the folder of a run: there is no such folder"),
        ("train no.csv", "`data`: there is no file 'no.csv'"),
        ("tune no.csv", "`data`: there is no file 'no.csv'"),
        ("crossvalidate there.csv no.csv", "`data`: there is no file 'no.csv'"),
        ("train there.csv --test_data=no.csv", "`data`: there is no file 'no.csv'"),
        ("launch --workers=2 -- train no.csv", "`data`: there is no file 'no.csv'"),
        ("pretrain --data=*.txt", "`data`: there is no file '*.txt'"),
    ],
)
def test_what_is_missing_is_named(line, message):
    with pytest.raises(UserError) as error:
        _check(line)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    "line",
    [
        "train there.csv --run_dir=new",
        "tune th*.csv",
        "train --task=quickstart",
        "explain --model=. --text=a",
        "plot --steps=10",
        "predict --text=a",
    ],
)
def test_what_is_there_or_not_given_passes(line):
    _check(line)


def test_finished_run_does_not_need_its_files(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.cfg").write_text("--data=gone.csv\n")
    _check("train gone.csv --run_dir=run")
    _check("evaluate --run_dir=run --data=there.csv")


def test_tensorflow_is_not_imported_for_it():
    program = (
        "import sys; from ftkeras.main import main; "
        "assert main(sys.argv[1:]) == 2; assert 'tensorflow' not in sys.modules"
    )
    command = [sys.executable, "-c", program, "tune", "no.csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("ftkeras: --data: there is no file 'no.csv'")


@pytest.mark.parametrize("train", ["3", "('there.csv', 3)", "b'there.csv'"])
def test_file_that_is_no_text_is_refused(train):
    with pytest.raises(UserError, match="`train` must name a file"):
        _check(f"train --task=classification(train={train.replace(' ', '')})")


def test_flagfile_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "latin.cfg").write_bytes("--name=café\n".encode("latin-1"))
    (tmp_path / "nested.cfg").write_text("--flagfile=latin.cfg\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("=latin.cfg", " latin.cfg", "=~/latin.cfg"):
        with pytest.raises(UserError, match=rf"--flagfile={name[1:]} must be written in UTF-8"):
            _check(f"train --flagfile{name}")
    with pytest.raises(UserError, match="named in it, must be written in UTF-8"):
        _check("train --flagfile=nested.cfg --flagfile=none.cfg")
    (tmp_path / "run.cfg").write_text("--newflag=1\n")
    with pytest.raises(UserError, match=r"run\.cfg has a line that sets no known argument"):
        _check("evaluate --run_dir=.")


@pytest.mark.parametrize("verb", ["evaluate", "report", "export"])
def test_part_of_a_trained_model_cannot_be_changed(tmp_path, verb):
    (tmp_path / "run.cfg").write_text("--encoder=own\n--task=quickstart\n--epochs=3\n")
    _check(f"{verb} --run_dir=. --encoder=own --max_length=9")
    (tmp_path / "labels.json").write_text('["bad", "good"]')
    _check(f"{verb} --run_dir=. --head=classification")
    _check(f"{verb} --run_dir=. --epochs=3 --learning_rate=auto")
    for name, value, own in (
        ("head", "other", "classification"),
        ("encoder", "other", "own"),
        ("policy", "full,head_only", "full"),
    ):
        message = f"`{name}` can't be changed by {verb}, .* with {own};.* Received: {value}"
        with pytest.raises(UserError, match=message):
            _check(f"{verb} --run_dir=. --{name}={value}")
    for name, value in (("regularizer", "mixout"), ("few_shot", "contrastive")):
        message = f"`{name}` can't be changed by {verb}, .* was trained without it; leave it out"
        with pytest.raises(UserError, match=message):
            _check(f"{verb} --run_dir=. --{name}={value}")


@pytest.mark.parametrize("verb", ["evaluate", "report", "export"])
def test_what_means_the_same_as_in_training_passes(tmp_path, verb):
    (tmp_path / "own").mkdir()
    settings = "--encoder=own\n--task=quickstart\n--epochs=3\n--optimizer=adamw\n--keep=5\n"
    (tmp_path / "run.cfg").write_text(f"{settings}--tensorboard=true\n--early_stopping=2\n")
    _check(f"{verb} --run_dir=. --encoder=./own --optimizer=adamw() --cache_dir=cache")
    _check(f"{verb} --run_dir=. --keep=2 --tensorboard=false")  # the defaults, as in a flagfile


def test_flag_that_only_another_verb_uses_is_refused(tmp_path):
    (tmp_path / "run.cfg").write_text("--task=quickstart\n--export=none\n")
    _check("export --run_dir=. --export=onnx")
    for verb in ("evaluate", "report"):
        with pytest.raises(UserError, match=f"`export` has no effect on {verb}"):
            _check(f"{verb} --run_dir=. --export=onnx")
    for verb in ("evaluate", "report", "export"):
        for flag in ("epochs=5", "last_epoch=1", "early_stopping=3", "pretrain_epochs=1", "keep=3"):
            name = flag.partition("=")[0]
            with pytest.raises(UserError, match=f"`{name}` has no effect on {verb}; leave it out"):
                _check(f"{verb} --run_dir=. --{flag}")
    for name in ("data", "test_data"):
        with pytest.raises(UserError, match=f"`{name}` has no effect on export; leave it out"):
            _check(f"export --run_dir=. --{name}=there.csv")
