"""Test penalties on weights against NumPy, and their gradients."""

import keras
import numpy as np
import pytest

from ftkeras.policies.adapters import Adapters
from ftkeras.policies.lora import LoRA
from ftkeras.regularizers.l1 import L1
from ftkeras.regularizers.l1_l2 import L1L2
from ftkeras.regularizers.l2 import L2
from ftkeras.regularizers.l2_sp import L2SP
from ftkeras.regularizers.orthogonal import Orthogonal
from tests.regularizers import tiny

pytestmark = pytest.mark.usefixtures("float64")


def _off_diagonal(kernel):
    tall = kernel if kernel.shape[0] >= kernel.shape[1] else kernel.T
    products = tall.T @ tall
    return sum(products[i, j] ** 2 for i, j in np.ndindex(products.shape) if i != j)


PENALTIES = [
    (L1(strength=0.1), lambda w: 0.1 * np.abs(w).sum()),
    (L2(strength=0.2), lambda w: 0.2 * (w**2).sum()),
    (L1L2(l1=0.1, l2=0.2), lambda w: 0.1 * np.abs(w).sum() + 0.2 * (w**2).sum()),
    (Orthogonal(strength=0.3), lambda w: 0.3 * _off_diagonal(w)),
]
NAMES = ["l1", "l2", "l1_l2", "orthogonal"]


@pytest.mark.parametrize(("penalty", "formula"), PENALTIES, ids=NAMES)
def test_term_is_the_formula_over_matching_variables(penalty, formula):
    model = tiny.regulated(penalty)
    kernels = [np.array(v) for v in model.trainable_variables if "kernel" in v.path]
    assert len(kernels) == 6  # four of the layer, one of the pooler, one of the head
    expected = sum(formula(w) for w in kernels)
    assert float(penalty(None)) == pytest.approx(expected, rel=1e-6)
    plain = float(tiny.training_loss(tiny.regulated()))
    assert float(tiny.training_loss(model)) == pytest.approx(plain + expected, rel=1e-6)


@pytest.mark.parametrize(("penalty", "formula"), PENALTIES, ids=NAMES)
def test_gradient_equals_finite_differences(penalty, formula):
    model = tiny.regulated(penalty)
    parts = tiny.gradients(model, lambda: penalty(None))
    slope, direction = tiny.slope(model, lambda: penalty(None))
    assert tiny.along(parts, direction) == pytest.approx(slope, rel=1e-6)
    for part, variable in zip(parts, model.trainable_variables, strict=True):
        assert np.any(part) == ("kernel" in variable.path)


def test_where_matches_paths():
    penalty = L2(strength=1.0, where="head/kernel")
    model = tiny.regulated(penalty)
    assert penalty.penalized == [model.head.kernel]


@pytest.mark.parametrize("part", [L1, L2, L1L2, Orthogonal])
def test_where_that_matches_nothing_is_named(part):
    with pytest.raises(ValueError, match=r"`where`.*encoder/.*'nothing'"):
        tiny.regulated(part(where="nothing"))


def test_where_is_named_if_nothing_trains():
    model = tiny.network()
    model.trainable = False
    with pytest.raises(ValueError, match=r"`where`.*none trains"):
        L2().attach(model)


@pytest.mark.parametrize("part", [L1, L2, L1L2, Orthogonal])
def test_invalid_regular_expression_is_named(part):
    with pytest.raises(ValueError, match=r"`where` must be a regular expression.*'\('"):
        part(where="(")


def test_orthogonal_is_zero_for_orthogonal_kernels_of_any_length():
    one = keras.Variable(np.diag([1.0, 2.0, 3.0])[:, :2])
    other = keras.Variable(np.diag([1.0, 2.0, 3.0])[:2])
    assert [float(Orthogonal().penalty(kernel)) for kernel in (one, other)] == [0.0, 0.0]


def test_orthogonal_needs_matrices():
    with pytest.raises(ValueError, match=r"`where` must match matrices.*bias"):
        tiny.regulated(Orthogonal(where="bias"))


def test_l2_sp_pulls_the_encoder_to_its_start_and_the_head_to_zero():
    penalty = L2SP(strength=0.2, head_strength=0.6)
    model = tiny.regulated(penalty)
    starts = [np.array(v) for v in model.encoder.trainable_variables]
    head = sum((np.array(v) ** 2).sum() for v in model.head.trainable_variables)
    assert float(penalty(None)) == pytest.approx(0.3 * head)
    draws = np.random.default_rng(5)
    for variable in model.trainable_variables:
        variable.assign(draws.normal(size=variable.shape))
    pairs = zip(model.encoder.trainable_variables, starts, strict=True)
    moved = sum(((np.array(v) - start) ** 2).sum() for v, start in pairs)
    head = sum((np.array(v) ** 2).sum() for v in model.head.trainable_variables)
    assert float(penalty(None)) == pytest.approx(0.1 * moved + 0.3 * head)
    slope, direction = tiny.slope(model, lambda: penalty(None))
    parts = tiny.gradients(model, lambda: penalty(None))
    assert tiny.along(parts, direction) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("policy", [LoRA(rank=1, seed=1), Adapters(size=2, seed=1)])
def test_l2_sp_pulls_what_a_policy_adds_to_zero(policy):
    model, penalty = tiny.network(), L2SP(strength=0.0, head_strength=1.0)
    policy.prepare(model)
    penalty.attach(model)
    old = {id(v) for v in model.encoder.trainable_variables}
    new = [np.array(v) for v in model.trainable_variables if id(v) not in old]
    assert len(new) > len(model.head.trainable_variables)
    assert float(penalty(None)) == pytest.approx(sum((v**2).sum() for v in new) / 2)


def test_l2_sp_needs_an_encoder_that_trains():
    model = tiny.network()
    model.encoder.trainable = False
    with pytest.raises(ValueError, match="no variable of the encoder is trainable"):
        L2SP().attach(model)
