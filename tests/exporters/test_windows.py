"""Exports of models that cut texts into windows note whether the caller combines the answers."""

from ftkeras.exporters import _left_to_caller
from ftkeras.text.truncations.windows import Windows
from tests.exporters import small


def test_exports_of_windows_say_who_combines_them():
    layer = small.text_layer()
    assert _left_to_caller.message(layer) is None
    layer.truncation = Windows(combine="max")
    assert "(max)" in (_left_to_caller.message(layer) or "")
