"""Test what each policy trains and leaves unchanged, bit by bit, and which policies combine."""

import re

import keras
import numpy as np
import pytest

from ftkeras import catalog
from ftkeras.errors import UserError
from ftkeras.policies import check_together
from ftkeras.training.best import BestEpoch
from tests.matrix import matrix
from tests.policies import tiny

# A regular expression on the paths of what trains.
TRAINS = {
    "full": "",
    "layerwise": "",
    "discriminative": "",
    "discriminative(rates={'layer_1': 0.5})": "",
    "reinit": "",
    "freeze(layers=2)": "layer_2|pooler|head",
    "freeze(layers=3)": "pooler|head",
    "freeze(layers=0)": "layer_|pooler|head",
    "freeze(embeddings=False, layers=1)": "embeddings|layer_[12]|pooler|head",
    "head_only": "pooler|head",
    "head_only(pooler=False, dropout=True)": "head",
    "bitfit": "bias$|head",
    "bitfit(pooler=True)": "bias$|pooler|head",
    "lora": "^lora/.*(query|value)_[ab]$|pooler|head",
    "lora(targets='.*', rank=3, pooler=False)": "^lora/|head",
    "lora(targets='output')": "^lora/layer_\\d_output_[ab]$|pooler|head",
    "adapters": "^adapters/|norm|pooler|head",
    "adapters(size=3, pooler=False)": "^adapters/|norm|head",
    "gradual_unfreezing": "pooler|head",
}


@pytest.mark.parametrize("spec", matrix(TRAINS, default=["discriminative"]))
def test_a_few_steps_change_what_trains_and_nothing_else(spec):
    model = tiny.model()
    policies = tiny.prepared(model, spec)
    tiny.compiled(model, policies)
    before = tiny.values(model)
    tiny.train(model, policies)
    expected = {path for path in before if re.search(TRAINS[spec], path)}
    assert tiny.changed(before, tiny.values(model)) == expected
    assert expected


@pytest.mark.parametrize("spec", matrix(TRAINS, default=["gradual_unfreezing", "lora"]))
def test_best_epoch_has_all_that_later_epochs_change(spec, tmp_path):
    model = tiny.model()
    policies = tiny.prepared(model, spec)
    tiny.compiled(model, policies)
    fixed = model.encoder.non_trainable_weights
    best = BestEpoch(tmp_path, objective="accuracy", patience=None, fixed=fixed)
    best.set_model(model)
    first = {}

    def end(epoch, logs):
        best.on_epoch_end(epoch, {"val_accuracy": -epoch, "val_loss": 0.0})
        first.update({} if epoch else tiny.values(model))

    tiny.train(model, policies, keras.callbacks.LambdaCallback(on_epoch_end=end), epochs=4)
    assert tiny.changed(first, tiny.values(model))
    best.restore(model)
    assert not tiny.changed(first, tiny.values(model))


def test_every_policy_is_tested():
    assert {catalog.parse("policy", spec).name for spec in TRAINS} == set(catalog.names("policy"))


@pytest.mark.parametrize("spec", TRAINS)
def test_policy_is_rebuilt_from_its_config(spec):
    policy = catalog.build("policy", spec, seed=4)
    again = type(policy)(**policy.get_config())
    assert again.get_config() == policy.get_config()
    assert set(catalog.parse("policy", spec).arguments) <= set(policy.get_config())


@pytest.mark.parametrize(
    "specs",
    [
        ("full", "freeze"),
        ("lora", "head_only"),
        ("bitfit", "lora"),
        ("adapters", "lora"),
        ("gradual_unfreezing", "freeze"),
        ("layerwise", "discriminative"),
        ("reinit", "layerwise", "reinit(layers=1)"),
    ],
)
def test_two_that_decide_the_same_are_rejected(specs):
    policies = [catalog.build("policy", spec) for spec in specs]
    names = {catalog.parse("policy", spec).name for spec in (specs[0], specs[-1])}
    with pytest.raises(ValueError, match="both decide") as error:
        check_together(policies)
    assert all(name in str(error.value) for name in names)


@pytest.mark.parametrize("order", matrix([1, -1], default=[1]))
@pytest.mark.parametrize(
    ("specs", "named"),
    [
        (("head_only", "layerwise"), "freezes all"),
        (("lora", "layerwise"), "freezes all"),
        (("freeze(layers=3)", "discriminative"), "freezes all"),
        (("freeze(layers=2)", "reinit(layers=2)"), "encoder/layer_1/.* freezes"),
        (("lora(pooler=False)", "reinit(layers=0)"), "encoder/pooler/.* freezes"),
        (("bitfit", "reinit(layers=1)"), "encoder/layer_2/.*kernel.*freezes"),
        (("freeze(layers=2)", "discriminative(rates={'layer_1': 2.0})"), "`rates`.*'layer_1'"),
    ],
)
def test_policy_with_nothing_to_act_on_is_rejected(specs, named, order):
    with pytest.raises(ValueError, match=named):
        tiny.prepared(tiny.model(), *specs[::order])


@pytest.mark.parametrize(
    ("specs", "factors"),
    [
        (("freeze(layers=2)", "layerwise(decay=0.5)"), {"layer_2": 1, "pooler": 1, "head": 1}),
        (("bitfit", "layerwise(decay=0.5)"), {"embeddings": 1 / 8, "layer_0": 1 / 4, "head": 1}),
        (
            ("adapters(size=2)", "layerwise(decay=0.5)"),
            {"adapters/layer_2_": 1, "adapters/layer_0_": 1 / 4, "encoder/layer_0/": 1 / 4},
        ),
        (("adapters(size=2)", "discriminative"), {"adapters/layer_1_": 1 / 2.6, "head": 1}),
        (("lora", "discriminative(rates={'_b$': 4})"), {"lora/.*_b": 4, "lora/.*_a": 1}),
        (("reinit", "layerwise(decay=0.5)"), {"layer_1": 1 / 2, "layer_2": 1}),
        (("gradual_unfreezing", "layerwise(decay=0.5)"), {"embeddings": 1 / 8, "head": 1}),
    ],
)
def test_policies_combine(specs, factors):
    model = tiny.model()
    tiny.compiled(model, tiny.prepared(model, *specs))
    paths = [variable.path for variable in model.trainable_variables]
    by_path = dict(zip(paths, model.optimizer.factors, strict=True))
    for pattern, factor in factors.items():
        matched = {f for path, f in by_path.items() if re.search(pattern, path)}
        assert matched == {factor}


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("freeze(layers=-1)", "`layers`.*-1"),
        ("freeze(layers=1.5)", "`layers`.*1.5"),
        ("freeze(embeddings=False, layers=0)", "`layers`.*0"),
        ("freeze(embeddings=1)", "`embeddings`.*1"),
        ("head_only(pooler='no')", "`pooler`.*no"),
        ("layerwise(decay=-1)", "`decay`.*-1"),
        ("layerwise(decay=0)", "`decay`.*0"),
        ("layerwise(decay=1.1)", "`decay`.*1.1"),
        ("discriminative(rates={})", "`rates`"),
        ("discriminative(rates=2)", "`rates`.*2"),
        ("discriminative(rates={'(': 2})", "`rates`.*'\\('"),
        ("discriminative(rates={'head': -1})", "`rates.*head.*-1"),
        ("gradual_unfreezing(every='step')", "`every`.*step"),
        ("gradual_unfreezing(every=0)", "`every`.*0"),
        ("gradual_unfreezing(layers=-1)", "`layers`.*-1"),
        ("reinit(layers=-1)", "`layers`.*-1"),
        ("adapters(size=0)", "`size`.*0"),
        ("adapters(pooler=1)", "`pooler`.*1"),
        ("lora(rank=-1)", "`rank`.*-1"),
        ("lora(alpha=-1)", "`alpha`.*-1"),
        ("lora(targets='quarry')", "`targets`.*query.*quarry"),
        ("lora(targets='(')", "`targets`"),
    ],
)
def test_value_out_of_bounds_is_named(spec, named):
    with pytest.raises(UserError, match=named):
        catalog.build("policy", spec, seed=4)


@pytest.mark.parametrize("spec", ["reinit", "adapters", "lora"])
@pytest.mark.parametrize("seed", [-1, 1.5, "x"])
def test_seed_out_of_bounds_is_named(spec, seed):
    with pytest.raises(UserError, match=f"`seed` must be .*{seed}"):
        catalog.build("policy", spec, seed=seed)


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("freeze(layers=4)", "`layers`.*3.*4"),
        ("reinit(layers=4)", "`layers`.*3.*4"),
        ("lora(rank=9)", "`rank`.*8.*9"),
        ("discriminative(rates={'layer_7': 2})", "`rates`.*layer_7"),
    ],
)
def test_what_the_model_lacks_is_named(spec, named):
    with pytest.raises(ValueError, match=named):
        tiny.prepared(tiny.model(), spec)


@pytest.mark.parametrize("spec", ["bitfit(pooler=True)", "head_only", "lora", "adapters"])
def test_encoder_may_lack_a_pooler(spec):
    model = tiny.model(pooling="mean")
    tiny.prepared(model, spec)
    assert not [v.path for v in model.trainable_variables if "pooler" in v.path]


SAME = [spec for spec in TRAINS if not spec.startswith(("reinit", "adapters"))]


@pytest.mark.parametrize("spec", matrix(SAME, default=["lora", "freeze(layers=2)"]))
def test_prepared_model_computes_the_same(spec):
    model = tiny.model()
    before = tiny.logits(model)
    tiny.prepared(model, spec)
    assert np.array_equal(before, tiny.logits(model))
