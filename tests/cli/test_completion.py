import shutil
import subprocess

import pytest

from ftkeras.cli import completion, flags
from ftkeras.cli.commands import VERBS
from ftkeras.errors import UserError

# Asks the function that bash would call; bash itself splits words at "=".
ASK = """
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_ftkeras
printf '%s\n' "${COMPREPLY[@]}"
"""


def _completed(*words: str) -> list[str]:
    script = flags.parse(["completion", "bash"]).help
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{ASK}", "bash", "ftkeras", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tra"], ["train"]),
        (["comp"], ["compare", "completion"]),
        (["train", "--sched"], ["--schedule="]),
        (["--learn"], ["--learning_rate="]),
        (["train", "--schedule", "=", "cos"], ["cosine"]),
        (["train", "--header", "="], ["true", "false"]),
        (["train", "--tensorb"], ["--tensorboard"]),
        (["predict", "--learn"], []),
        (["help", "lin"], ["linear"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["train", "review"], []),  # bash offers files
    ],
)
def test_bash_completes_verbs_flags_and_parts(words, expected):
    assert _completed(*words) == expected


def test_bash_offers_all_verbs():
    assert _completed("") == [*VERBS, "help", "completion"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_is_valid(shell):
    if (program := shutil.which(shell)) is None:
        pytest.skip(f"needs {shell}")
    text = completion.script([shell])
    done = subprocess.run([program, "-n"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_script_has_every_verb_flag_and_part(shell):
    text = completion.script([shell])
    for word in (*VERBS, "learning_rate", "max_trials", "cosine", "label_column"):
        assert word in text


def test_without_a_shell_the_usage_is_shown():
    assert "source <(ftkeras completion bash)" in flags.parse(["completion"]).help


def test_unknown_shell_is_refused():
    with pytest.raises(UserError, match=r"bash, zsh or fish. Received: 'fis'; did you mean fish\?"):
        flags.parse(["completion", "fis"])
