"""Exports of models that cut texts into windows note how the caller combines the answers."""

import pytest

from ftkeras.exporters import _left_to_caller
from ftkeras.text.truncations.windows import Windows
from tests.exporters import small


@pytest.mark.parametrize(
    ("reads", "combines"),
    [
        ("texts", "combines the windows' logits (max)"),
        ("words", "tag from the window where it is farthest from a cut"),
        ("contexts", "the best span of all windows"),
    ],
)
def test_exports_of_windows_say_who_combines_them(reads, combines):
    layer = small.text_layer()
    assert _left_to_caller.message(layer, "texts") is None
    layer.truncation = Windows(combine="max")
    assert combines in (_left_to_caller.message(layer, reads) or "")
    assert _left_to_caller.message(layer, "tokens") is None
