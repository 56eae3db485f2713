"""Commands in the documentation parse: their verbs, flags and parts exist."""

import pathlib
import re
import shlex

import pytest

from ftkeras.cli import flags, parts

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:python -m ftkeras(?:\.main)?|ftkeras) (?!VERB)(.*)")
# Files that a command reads before it runs.
FILES = {
    "goemotions/labels.txt": "joy\nanger\n",
    "runs/imdb/search/best.cfg": "--task=imdb\n",
    "runs/imdb/…/run.cfg": "--task=imdb\n",
    "runs/reviews/…/run.cfg": "--data=reviews.csv\n",
}


def commands(page):
    """Return the arguments of each command in the code blocks of a page."""
    code = "\n".join(CODE.findall(page.read_text(encoding="utf-8"))).replace("\\\n", " ")
    lines = (line.strip() for part in code.splitlines() for line in part.split("&&"))
    found = (COMMAND.match(line) for line in lines)
    return [shlex.split(match[1], comments=True) for match in found if match]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "flags").symlink_to(ROOT / "flags")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda p: p.stem)
def test_commands_parse(page, files, monkeypatch):
    monkeypatch.chdir(files)
    for arguments in commands(page):
        command = flags.parse(arguments)
        if command.help is None:
            parts.check(command.config)


def test_commands_are_found():
    assert ["train", "reviews.csv"] in commands(ROOT / "README.md")
    assert sum(len(commands(page)) for page in PAGES) > 100
