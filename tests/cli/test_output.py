"""Output of the command line: messages name flags, and warnings and errors go to standard error."""

import logging
import subprocess
import sys

import pytest

from ftkeras import catalog
from ftkeras.cli import output
from ftkeras.config.run import Config
from ftkeras.errors import Stopped, UserError
from ftkeras.main import main

log = logging.getLogger("ftkeras.tests")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("`folds` must be at least 2.", "--folds must be at least 2."),
        ("run_dir=a/b is in use", "--run_dir=a/b is in use"),
        ("set `notest` or test=true", "set --notest or --test=true"),
        ("epochs=3 (there 2), batch_size=4", "--epochs=3 (there 2), --batch_size=4"),
        ("schedule=step(steps=(1, 2)), steps=9", "--schedule=step(steps=(1, 2)), --steps=9"),
        ("`dropout` is a key, not an argument", "`dropout` is a key, not an argument"),
        ("--run_dir=a is a flag already", "--run_dir=a is a flag already"),
        ("Received: 'epochs=3'", "Received: 'epochs=3'"),
        ("evaluate --run_dir=runs/seed=1", "evaluate --run_dir=runs/seed=1"),
        ("the model of the task", "the model of the task"),
    ],
)
def test_arguments_are_shown_as_flags(message, shown):
    assert output.as_flags(message) == shown


def test_message_goes_to_standard_output_and_its_data_stays_as_it_is(capsys):
    log.info("see `folds`: %s", "I said `folds` and epochs=3, 100 %s")
    assert capsys.readouterr() == ("see --folds: I said `folds` and epochs=3, 100 %s\n", "")


def test_message_without_data_may_hold_a_percent_sign(capsys):
    log.info("95 % of all, 100%s")
    assert capsys.readouterr().out == "95 % of all, 100%s\n"


def test_warning_goes_to_standard_error(capsys):
    log.warning("`folds` is ignored")
    assert capsys.readouterr() == ("", "warning: --folds is ignored\n")


def test_messages_are_shown_once_however_often_they_are_asked_for(capsys):
    output.show_messages()
    output.show_messages()
    log.info("once")
    assert capsys.readouterr().out == "once\n"


def test_closed_output_reaches_the_caller(monkeypatch):
    class Closed:
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(BrokenPipeError):
        log.info("nobody reads this")


def test_python_names_the_argument_and_the_command_line_the_flag(capsys):
    with pytest.raises(UserError, match="^`folds` must be at least 2. Received: 1.$"):
        Config(folds=1)
    assert main(["--folds=1"]) == 2
    assert capsys.readouterr().err == "ftkeras: --folds must be at least 2. Received: 1.\n"


def test_key_of_a_part_is_not_shown_as_a_flag():
    class Part:
        def __init__(self, *, steps):
            raise ValueError(f"`steps` must be positive. Received: {steps}.")

    with pytest.raises(UserError) as caught:
        catalog.construct("export", Part, catalog.Spec("part", {"steps": 0}))
    reason = "part(steps=0): `steps` must be positive. Received: 0."
    assert str(caught.value) == f"export={reason}"
    assert output.error_line(caught.value) == f"--export={reason}"


def test_stopped_run_names_flags():
    assert output.error_line(Stopped(15, "resume with run_dir=x")) == "resume with --run_dir=x"


@pytest.mark.parametrize("flag", ["--debug", "--debug=true"])
def test_debug_raises_the_error(flag):
    with pytest.raises(UserError, match="`task` must be one of .*Received: 'imbd'"):
        main(["train", "--task=imbd", flag])


def _python(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_import_of_the_package_loads_nothing_heavy():
    heavy = "tensorflow keras numpy scipy sklearn transformers absl requests matplotlib"
    code = f"import sys, ftkeras; print(*set({heavy.split()!r}) & set(sys.modules))"
    done = _python("-c", code)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_package_runs_like_its_main_module():
    package, module = (_python("-m", name, "--help") for name in ("ftkeras", "ftkeras.main"))
    assert package.returncode == module.returncode == 0
    assert package.stdout == module.stdout
    assert "crossvalidate" in package.stdout


def test_what_was_received_stays_as_it_is():
    message = "`label_names` must read LABEL=NAME. Received: 'a=1,text=', where 'text=' has none."
    assert output.as_flags(message) == message.replace("`label_names`", "--label_names")
    assert output.as_flags("`label`: Received: name=x.") == "--label: Received: name=x."


@pytest.mark.parametrize("verb", [["--version"], ["help"]])
def test_full_disk_gives_one_line(verb):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ftkeras.main", *verb], stdout=full, stderr=-1, text=True
        )
    assert (done.returncode, done.stderr) == (2, "ftkeras: No space left on device\n")


def test_debug_that_is_off_shows_no_traceback(capsys):
    assert main(["train", "--debug=false", "--epochs=x"]) == 2
    assert "--epochs must be" in capsys.readouterr().err
