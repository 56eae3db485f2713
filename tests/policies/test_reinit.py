"""Test which weights reinit replaces, and by what."""

import keras
import numpy as np
import pytest

from tests.policies import tiny


def _reinitialized(spec, **settings):
    model = tiny.model(hidden=64, **settings)
    before = tiny.values(model)
    tiny.prepared(model, spec)
    return before, tiny.values(model)


def test_only_top_layers_and_pooler_are_reinitialized():
    before, after = _reinitialized("reinit(layers=2)")
    expected = {path for path in before if any(p in path for p in ("layer_1", "layer_2", "pooler"))}
    assert tiny.changed(before, after) == expected
    for path in expected:
        if path.endswith("kernel"):
            assert after[path].std() == pytest.approx(0.02, rel=0.05)
            assert abs(after[path].mean()) < 0.002
        else:
            assert np.all(after[path] == float(path.endswith("scale"))), path
    assert len({after[path].tobytes() for path in expected if path.endswith("kernel")}) == 9


def test_zero_layers_reinitialize_the_pooler_alone():
    before, after = _reinitialized("reinit(layers=0)")
    assert {path.split("/")[1] for path in tiny.changed(before, after)} == {"pooler"}


def test_same_seed_gives_the_same_weights():
    results = []
    for global_seed in (1, 2):
        keras.utils.set_random_seed(global_seed)
        results.append(_reinitialized("reinit")[1])
    assert not tiny.changed(*results)


def test_nothing_to_reinitialize_is_rejected():
    with pytest.raises(ValueError, match="`layers`.*at least 1.*0"):
        tiny.prepared(tiny.model(pooling="cls"), "reinit(layers=0)")
