"""The mutants keep up with the code that they break."""

import pytest

from tests.tools.mutants import MUTANTS
from tests.tools.mutate import ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.file}: {mutant.old}")
def test_mutant_changes_one_place_and_its_tests_exist(mutant):
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1, "move the mutant with its code: tests/tools/mutants.py"
    assert mutant.old != mutant.new
    assert all((ROOT / path).exists() for path in mutant.tests)
