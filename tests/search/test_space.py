import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftkeras.cli import flags
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.config.tune import DEFAULT_SEARCH
from ftkeras.errors import UserError
from ftkeras.experiment import checks
from ftkeras.search import ranges, space

POLICY = "policy=choice(full, layerwise(decay=uniform(0.8, 0.95)), freeze(layers=choice(3, 6)))"


def _read(*lines, **given):
    return space.read(lines, Config(**given))


def test_flag_takes_what_was_drawn_as_its_own_type():
    found = _read(
        "learning_rate=log(1e-5, 1e-4)",
        "batch_size=choice(16, 32)",
        "schedule=choice(linear, cosine(cycles=2))",
        "oversample=choice(true, false)",
        "warmup=choice(none, 0.1, 100)",
        "regularizer=choice(none, l2(strength=0.1))",
        "epochs=int(2, 4)",
    )
    values = {
        "learning_rate": 2.34567e-05,
        "batch_size": "32",
        "schedule": "cosine(cycles=2)",
        "oversample": "true",
        "warmup": "0.1",
        "regularizer": "l2(strength=0.1)",
        "epochs": 3,
    }
    assert found.settings(values) == {
        "learning_rate": 2.346e-05,
        "batch_size": 32,
        "schedule": "cosine(cycles=2)",
        "oversample": True,
        "warmup": "0.1",
        "regularizer": ("l2(strength=0.1)",),
        "epochs": 3,
    }
    none = found.settings({**values, "warmup": "none", "regularizer": "none"})
    assert (none["warmup"], none["regularizer"]) == (None, ())


def test_key_inside_a_choice_exists_under_it_alone():
    found = _read(POLICY)
    by_name = {parameter.name: parameter for parameter in found.parameters}
    decay, layers = by_name["policy.layerwise.decay"], by_name["policy.freeze.layers"]
    layerwise, freeze = by_name["policy"].domain[1:]
    assert decay.exists({"policy": layerwise})
    assert not decay.exists({"policy": freeze})
    assert layers.exists({"policy": freeze})
    values = {"policy": layerwise, "policy.layerwise.decay": 0.91239}
    assert found.settings(values)["policy"] == ("layerwise(decay=0.9124)",)
    assert found.settings({"policy": "full"})["policy"] == ("full",)
    assert found.point({"policy": freeze}) == {"policy": freeze, "policy.freeze.layers": "3"}


def test_key_of_a_given_spec_is_set_beside_its_others():
    found = _read("optimizer.decay=uniform(0.0, 0.1)", optimizer="adamw(beta_1=0.8)")
    setting = found.settings({"optimizer.decay": 0.05})
    assert setting == {"optimizer": "adamw(beta_1=0.8, decay=0.05)"}
    two = _read("optimizer.decay=uniform(0.0, 0.1)", "optimizer.beta_1=uniform(0.8, 0.9)")
    setting = two.settings({"optimizer.decay": 0.05, "optimizer.beta_1": 0.85})
    assert setting == {"optimizer": "adamw(decay=0.05, beta_1=0.85)"}
    one = _read("policy.decay=uniform(0.8, 0.9)", policy=("layerwise(decay=0.7)",))
    assert one.settings({"policy.decay": 0.85}) == {"policy": ("layerwise(decay=0.85)",)}


def test_several_parts_may_be_one_choice():
    found = _read("policy=choice(full, [layerwise(decay=0.9), reinit(layers=int(1, 3))])")
    label = found.parameters[0].domain[1]
    chosen = found.settings({"policy": label, "policy.reinit.layers": 2})["policy"]
    assert chosen == ("layerwise(decay=0.9)", "reinit(layers=2)")


def test_same_part_twice_in_a_choice_has_parameters_of_its_own():
    found = _read("policy=choice(freeze(layers=int(1, 3)), freeze(layers=int(5, 9)))")
    names = [parameter.name for parameter in found.parameters]
    assert names == ["policy", "policy.freeze.layers", "policy.freeze.layers#2"]
    second = found.parameters[0].domain[1]
    assert found.settings({"policy": second, names[2]: 7})["policy"] == ("freeze(layers=7)",)


def test_interval_may_be_one_choice_among_values():
    found = _read("optimizer.decay=choice(0.0, log(1e-4, 1e-1))")
    zero, log = found.parameters[0].domain
    assert found.settings({"optimizer.decay": zero})["optimizer"] == "adamw(decay=0.0)"
    drawn = {"optimizer.decay": log, "optimizer.decay.log": 0.0123456}
    assert found.settings(drawn)["optimizer"] == "adamw(decay=0.01235)"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("learning_rate", "must read flag=range"),
        ("learning_rate=", "must read flag=range"),
        ("learning_rate=3e-5", "is no range; there are: choice, uniform, log, int"),
        ("learning_rate=log(1e-5", "can't be read"),
        ("learning_rate=log(1e-4, 1e-5)", "the lower end must be below the upper"),
        ("learning_rate=log(0, 1e-5)", "must lie above 0"),
        ("learning_rate=log(1e-5)", r"must read log\(lower, upper\)"),
        ("learning_rate=uniform(0.1, 0.2, step=0)", "step must be above 0"),
        ("learning_rate=log(0.1, 0.2, step=1)", "step must be above 1, for it multiplies"),
        ("learning_rate=uniform(0.1, 0.2, log=True)", "with step=…"),
        ("learning_rate=uniform(0.1, 'a')", "takes numbers"),
        ("batch_size=int(1.5, 3)", "takes whole numbers"),
        ("batch_size=choice()", "must name what there is to choose from"),
        ("batch_size=choice(16, 32, 16)", r"16 stands twice in choice\(16, 32, 16\)"),
        ("no_such=choice(1, 2)", "there is no flag --no_such"),
        ("learning_rate.x=choice(1, 2)", "--learning_rate takes no keys"),
        ("run_dir=choice(a, b)", "decides nothing that a search could measure"),
        ("seed=choice(1, 2)", "--executions_per_trial tries several"),
        ("objective=choice(loss, accuracy)", "the trials are compared by"),
        ("validation_share=uniform(0.1, 0.2)", "can't be compared"),
        ("policy=choice(full, freeze(3))", r"must read name or name\(key=value, …\)"),
        ("head.dropout=choice(a, b)", "texts are quoted as in Python"),
    ],
)
def test_line_that_says_no_range_is_refused_in_a_line(line, said):
    with pytest.raises(UserError, match=said) as refused:
        _read(line)
    assert str(refused.value).startswith(f"--search={line!r}: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "names nothing to vary"),
        (("epochs=int(1, 2)", "epochs=int(3, 4)"), "epochs stands in two lines"),
        ((POLICY, "policy.decay=uniform(0.1, 0.2)"), "policy is searched as well"),
        (("policy.decay=uniform(0.1, 0.2)", POLICY), "policy.decay is searched as well"),
    ],
)
def test_empty_and_contradictory_spaces_are_refused(lines, said):
    with pytest.raises(UserError, match=said):
        _read(*lines)


def test_losses_are_no_objective_to_compare_losses_by():
    with pytest.raises(UserError, match="--objective=accuracy can"):
        _read("loss=choice(cross_entropy, focal)", objective="loss")
    assert _read("loss=choice(cross_entropy, focal)").parameters


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("learning_rate=uniform(-0.1, 0.1)", "--learning_rate must be positive"),
        ("learning_rate=choice(fast, slow)", "--learning_rate takes float. Received: 'fast'"),
        ("batch_size=choice(16, 32.5)", "--batch_size takes int. Received: 32.5"),
        ("oversample=choice(true, 2)", "--oversample takes bool. Received: 2"),
        ("schedule=choice(linear, quadratic)", "--schedule: there is no 'quadratic'"),
        ("policy=choice(full, layerwise(decay=uniform(0.8, 1.5)))", "`decay`.*1.5"),
        ("policy=choice(full, layerwise(rate=uniform(0.8, 0.9)))", "there is no key 'rate'"),
        ("average.decay=uniform(0.9, 0.99)", "needs one --average to set it in. Received: none"),
        ("encoder.dropout=uniform(0.0, 0.1)", "needs a spec to set it in"),
    ],
)
def test_corner_that_a_flag_or_part_refuses_is_told_before_any_trial(line, said):
    with pytest.raises(UserError, match=f"(?s)--search: .*{said}"):
        space.check(_read(line, encoder="a/b"), checks.check)


def test_corners_that_only_together_are_wrong_are_found():
    together = ("schedule=choice(linear, one_cycle)", "warmup=choice(0, 0.1)")
    with pytest.raises(UserError, match="schedule=one_cycle warmup=0.1.*rises by itself"):
        space.check(_read(*together), checks.check)


def test_default_space_is_that_of_flags_tune_cfg(pytestconfig):
    path = pytestconfig.rootpath / "flags" / "tune.cfg"
    command = flags.parse(["tune", f"--flagfile={path}"])
    assert command.config.search == DEFAULT_SEARCH
    found = space.read(DEFAULT_SEARCH, Config())
    assert len(list(found.corners())) == 18
    space.check(found, checks.check)


def test_large_space_has_each_end_among_its_corners():
    lines = [f"optimizer.{key}=uniform(0.1, 0.9)" for key in ("beta_1", "beta_2", "epsilon")]
    lines += ["learning_rate=log(1e-5, 1e-3)", "epochs=int(1, 9)", "batch_size=int(1, 64)"]
    lines += ["clip_norm=uniform(0.5, 2)", "max_length=int(16, 128)", POLICY]
    found = _read(*lines)
    corners = list(found.corners())
    assert len(corners) <= space.MOST_CORNERS + 2 * len(found.parameters) + 2
    for parameter in found.parameters:
        seen = {corner.get(parameter.name) for corner in corners} - {None}
        assert seen == set(parameter.ends)


NUMBERS = st.floats(1e-6, 1e3, allow_nan=False)


@st.composite
def _interval(draw):
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    return f"{draw(st.sampled_from(['uniform', 'log']))}({low!r}, {high * 1.01 + 1e-6!r})"


@st.composite
def _lines(draw):
    keys = draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True))
    parts = [
        f"p{n}({', '.join(f'{key}={draw(_interval())}' for key in keys)})"
        for n in range(draw(st.integers(1, 3)))
    ]
    return [f"learning_rate={draw(_interval())}", f"policy=choice(full, {', '.join(parts)})"]


@settings(max_examples=60, deadline=None)
@given(_lines(), st.integers(0, 2**32))
def test_every_sample_is_a_configuration_that_its_flagfile_repeats(lines, seed):
    found, rng, values = _read(*lines), random.Random(seed), {}
    for parameter in found.parameters:
        if parameter.exists(values):
            ends = parameter.ends
            inside = isinstance(parameter.domain, ranges.Interval)
            values[parameter.name] = rng.uniform(*ends) if inside else rng.choice(ends)
    config = found.config(values)
    low, high = found.parameters[0].ends
    assert low <= config.learning_rate <= high
    assert flags.parse(flagfile.arguments(config)).config == config
    assert len(values) == 2 + config.policy[0].count("=")
