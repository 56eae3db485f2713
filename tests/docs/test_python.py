"""The code blocks of docs/python.md, which run in order within a section."""

import pathlib
import re

import pytest

from tests.matrix import matrix

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "python.md"
SECTIONS = {
    title: re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    for title, text in re.findall(
        r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL
    )
}
WITH_CODE = [title for title, blocks in SECTIONS.items() if blocks]


@pytest.mark.parametrize(
    "title", matrix(WITH_CODE, default=["Optimizers, schedules and losses in any Keras model"])
)
def test_code_of_a_section_runs(title, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for number, block in enumerate(SECTIONS[title], 1):
        exec(compile(block, f"{PAGE.name}: {title}, block {number}", "exec"), names)
