"""Finished runs as `compare` groups them."""

from typing import Any

import pytest

from ftkeras.config.run import Config
from ftkeras.runs import reader

NOTHING: Any = None


@pytest.fixture
def finished(tmp_path):
    """Return a function that makes a run on examples that were given in memory."""

    def make(name: str, seed: int, examples: str) -> reader.FinishedRun:
        file = tmp_path / name / "data" / "train.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text(examples)
        config = Config(task=f"classification(train='{file}')", seed=seed)
        given = {"predictions": NOTHING, "problem": NOTHING}
        return reader.FinishedRun(str(file.parents[1]), config, (), answers=(), curves=(), **given)

    return make


def test_runs_on_the_same_examples_in_memory_are_one_recipe(finished):
    runs = [finished("a", 1, "x"), finished("b", 2, "x"), finished("c", 1, "y")]
    recipes = reader.group_by_recipe(runs)
    assert recipes == [runs[:2], runs[2:]]
    one, other = reader.recipe_differences(recipes)
    assert list(one) == ["task"]
    assert one["task"] != other["task"]
