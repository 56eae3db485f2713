"""Texts of another kind, and what the parts with intervals say of too few texts."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ftkeras.dossiers import memorization, out_of_distribution, robustness
from ftkeras.errors import UserError


def test_short_texts_are_not_shuffled_and_that_is_said(monkeypatch):
    def measure(subject, versions, known):
        assert list(map(len, versions)) == [30, 48]
        return {"energy": [np.arange(len(texts), dtype=float) for texts in versions]}

    monkeypatch.setattr(out_of_distribution, "_measure", measure)
    texts = ["Good.", *["Not so good."] * 28, "A text of five words."]
    run: Any = SimpleNamespace(
        examples={"test": texts},
        view=SimpleNamespace(split="test", problem=SimpleNamespace(reads="texts", kind="x")),
        raw_texts=lambda chosen: [{"text": text} for text in chosen],
    )
    part = out_of_distribution.part(run)
    assert [one["kind"] for one in part.data["scores"]] == ["other topics"]
    assert part.data["left_out"] == ["shuffled words"]
    assert part.shown[-1].what == "Shuffled words"
    json.dumps(part.data, allow_nan=False)


class Few(list):
    name = "test"


@pytest.mark.parametrize(
    "module", [out_of_distribution, memorization, robustness], ids=lambda m: m.__name__
)
def test_a_single_text_has_no_interval(module):
    run: Any = SimpleNamespace(
        examples={"train": Few("ab"), "test": Few("a")},
        view=SimpleNamespace(split="test", problem=SimpleNamespace(reads="texts")),
    )
    with pytest.raises(UserError, match="test has 1 text, and an interval needs 2"):
        module.part(run)
