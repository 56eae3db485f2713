"""Search spaces: how their lines are parsed, and the configurations they give."""

import random

import keras_tuner
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.cli import flags
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.config.tune import DEFAULT_SEARCH
from ftkeras.errors import UserError
from ftkeras.experiment import checks
from ftkeras.search import hyperparameters, ranges, space, space_parser
from ftkeras.search.oracles.grid import Grid
from ftkeras.search.space import check_corners
from tests.matrix import examples

POLICY = "policy=choice(full, layerwise(decay=uniform(0.8, 0.95)), freeze(layers=choice(3, 6)))"


def _read(*lines, **given):
    return space_parser.parse(lines, Config(**given))


def test_settings_have_the_types_of_their_flags():
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


def test_auto_is_a_choice_of_a_number_that_may_be_auto():
    found = _read("learning_rate=choice(auto, 1e-4)", "epochs=choice(auto, 5)")
    values = {"learning_rate": "auto", "epochs": "auto"}
    assert found.settings(values) == values
    other = {"learning_rate": "1e-4", "epochs": "5"}
    assert found.settings(other) == {"learning_rate": 1e-4, "epochs": 5}


def test_key_inside_a_choice_exists_with_that_choice_only():
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


def test_key_is_added_to_a_given_spec():
    found = _read("optimizer.decay=uniform(0.0, 0.1)", optimizer="adamw(beta_1=0.8)")
    setting = found.settings({"optimizer.decay": 0.05})
    assert setting == {"optimizer": "adamw(beta_1=0.8, decay=0.05)"}
    two = _read("optimizer.decay=uniform(0.0, 0.1)", "optimizer.beta_1=uniform(0.8, 0.9)")
    setting = two.settings({"optimizer.decay": 0.05, "optimizer.beta_1": 0.85})
    assert setting == {"optimizer": "adamw(decay=0.05, beta_1=0.85)"}
    one = _read("policy.decay=uniform(0.8, 0.9)", policy=("layerwise(decay=0.7)",))
    assert one.settings({"policy.decay": 0.85}) == {"policy": ("layerwise(decay=0.85)",)}


def test_a_choice_may_contain_several_parts():
    found = _read("policy=choice(full, [layerwise(decay=0.9), reinit(layers=int(1, 3))])")
    label = found.parameters[0].domain[1]
    chosen = found.settings({"policy": label, "policy.reinit.layers": 2})["policy"]
    assert chosen == ("layerwise(decay=0.9)", "reinit(layers=2)")


def test_same_part_in_two_choices_has_separate_parameters():
    found = _read("policy=choice(freeze(layers=int(1, 3)), freeze(layers=int(5, 9)))")
    names = [parameter.name for parameter in found.parameters]
    assert names == ["policy", "policy.freeze.layers", "policy.freeze.layers#2"]
    second = found.parameters[0].domain[1]
    assert found.settings({"policy": second, names[2]: 7})["policy"] == ("freeze(layers=7)",)


def test_a_choice_may_contain_an_interval():
    found = _read("optimizer.decay=choice(0.0, log(1e-4, 1e-1))")
    zero, log = found.parameters[0].domain
    assert found.settings({"optimizer.decay": zero})["optimizer"] == "adamw(decay=0.0)"
    sampled = {"optimizer.decay": log, "optimizer.decay.log": 0.0123456}
    assert found.settings(sampled)["optimizer"] == "adamw(decay=0.01235)"


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ("0.1, 0.3, step=0.1", [0.1, 0.2, 0.3]),
        ("0.7, 0.95, step=0.05", [0.7, 0.75, 0.8, 0.85, 0.9, 0.95]),
        ("0, 1, step=0.3", [0.0, 0.3, 0.6, 0.9]),
        ("0, 1, step=2", [0.0]),
        ("10000, 10020, step=5", [10_000, 10_005, 10_010, 10_015, 10_020]),
    ],
)
def test_steps_include_the_upper_end_however_they_are_rounded(ends, expected):
    (parameter,) = _read(f"optimizer.decay=uniform({ends})").parameters
    (tuned,) = hyperparameters.build([parameter]).space
    assert list(map(parameter.domain.rounded, tuned.values)) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("learning_rate", "must read flag=range"),
        ("learning_rate=", "must read flag=range"),
        ("learning_rate=3e-5", "is not a range; there are: choice, uniform, log, int"),
        ("learning_rate=log(1e-5", "can't be parsed"),
        ("learning_rate=log(1e-4, 1e-5)", "the lower end must be below the upper"),
        ("learning_rate=log(0, 1e-5)", "must be above 0"),
        ("learning_rate=log(1e-5)", r"must read log\(lower, upper\)"),
        ("learning_rate=uniform(0.1, 0.2, step=0)", "step must be above 0"),
        ("learning_rate=log(0.1, 0.2, step=1)", "step must be above 1, because it multiplies"),
        ("learning_rate=uniform(0.1, 0.2, log=True)", "with step=…"),
        ("learning_rate=uniform(0.1, 'a')", "takes numbers"),
        (f"learning_rate=uniform(0.1, 1{'0' * 400})", "takes numbers"),
        ("batch_size=int(1.5, 3)", "takes whole numbers"),
        ("batch_size=choice()", "must list values to choose from"),
        ("batch_size=choice(16, 32, 16)", r"16 appears twice in choice\(16, 32, 16\)"),
        ("no_such=choice(1, 2)", "there is no argument 'no_such'"),
        ("learning_rate.x=choice(1, 2)", "`learning_rate` takes no keys"),
        ("run_dir=choice(a, b)", "`run_dir` does not affect a trial's score"),
        ("seed=choice(1, 2)", "`executions_per_trial` tries several"),
        ("objective=choice(loss, accuracy)", "the trials are compared by"),
        ("validation_share=uniform(0.1, 0.2)", "can't be compared"),
        ("policy=choice(full, freeze(3))", r"must read name or name\(key=value, …\)"),
        ("head.dropout=choice(a, b)", "quote texts as in Python"),
        (f"learning_rate={'-' * 20_000}1", "can't be parsed"),
        ("learning_rate=choice({[1]: 2}, 1)", "can't be parsed"),
        ("learning_rate=uniform(0.1, 0.2, step=0.1, step=0.5)", "has the key 'step' twice"),
        ("policy=choice(full, freeze(layers=1, layers=2))", "has the key 'layers' twice"),
    ],
)
def test_invalid_line_is_rejected_in_one_line(line, message):
    with pytest.raises(UserError, match=message) as error:
        _read(line)
    assert str(error.value).startswith(f"search={line!r}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("line", ["few_shot=choice(none, contrastive)", "policy=choice(a, b)"])
def test_what_decides_the_defaults_of_few_shot_is_one_for_all_trials(line):
    with pytest.raises(UserError, match="must be the same in all trials: defaults of other arg"):
        _read(line, few_shot="contrastive")
    assert _read("few_shot.pairs=choice(2, 5)", few_shot="contrastive").parameters
    assert _read("policy=choice(a, b)").parameters


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "must name something to vary"),
        (("epochs=int(1, 2)", "epochs=int(3, 4)"), "epochs appears in two lines"),
        ((POLICY, "policy.decay=uniform(0.1, 0.2)"), "policy is searched as well"),
        (("policy.decay=uniform(0.1, 0.2)", POLICY), "policy.decay is searched as well"),
    ],
)
def test_empty_and_contradictory_spaces_are_rejected(lines, message):
    with pytest.raises(UserError, match=message):
        _read(*lines)


def test_losses_are_not_compared_by_loss():
    with pytest.raises(UserError, match="use objective=accuracy"):
        _read("loss=choice(cross_entropy, focal)", objective="loss")
    assert _read("loss=choice(cross_entropy, focal)").parameters


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("learning_rate=uniform(-0.1, 0.1)", "`learning_rate` must be positive"),
        ("learning_rate=choice(fast, slow)", "`learning_rate` takes float. Received: 'fast'"),
        ("learning_rate=choice(1e999, 1e-4)", "`learning_rate` takes float. Received: inf"),
        (f"learning_rate=choice(1{'0' * 400}, 1e-4)", "`learning_rate` takes float. Received: 10"),
        ("batch_size=choice(16, 32.5)", "`batch_size` takes int. Received: 32.5"),
        ("epochs=choice(1e999, 3)", "`epochs` takes int. Received: inf"),
        ("oversample=choice(true, 2)", "`oversample` takes bool. Received: 2"),
        ("schedule=choice(linear, quadratic)", "`schedule` must be one of .*'quadratic'"),
        ("policy=choice(full, layerwise(decay=uniform(0.8, 1.5)))", "`decay`.*1.5"),
        ("policy=choice(full, layerwise(rate=uniform(0.8, 0.9)))", "there is no key 'rate'"),
        (
            "average.decay=uniform(0.9, 0.99)",
            "needs exactly one `average` to set it in. Received: none",
        ),
        ("encoder.dropout=uniform(0.0, 0.1)", "needs a spec to set it in"),
    ],
)
def test_corner_that_a_part_rejects_is_found_before_any_trial(line, message):
    with pytest.raises(UserError, match=f"(?s)`search`: .*{message}"):
        check_corners(_read(line, encoder="a/b"), checks.check)


def test_invalid_combination_of_values_is_found():
    together = ("schedule=choice(linear, one_cycle)", "warmup=choice(0, 0.1)")
    with pytest.raises(UserError, match="schedule=one_cycle warmup=0.1.*has a rise of its own"):
        check_corners(_read(*together), checks.check)


def test_default_space_equals_flags_tune_cfg(pytestconfig):
    path = pytestconfig.rootpath / "flags" / "tune.cfg"
    command = flags.parse(["tune", f"--flagfile={path}"])
    assert command.config.search == DEFAULT_SEARCH
    found = space_parser.parse(DEFAULT_SEARCH, Config())
    assert len(list(found.corners())) == 18
    check_corners(found, checks.check)


@pytest.mark.parametrize(
    "lines",
    [
        ["learning_rate=log(1e-5, 1e-3, step=10)", "batch_size=choice(16, 32)"],
        ["head.dropout=uniform(0.1, 0.3, step=0.1)"],
        ["batch_size=int(8, 20, step=8)"],
        ["batch_size=int(8, 64, log=True, step=2)"],
        [
            "policy=choice(full, layerwise(decay=uniform(0.8, 0.95, step=0.05)), "
            "[layerwise(decay=choice(0.8, 0.9)), reinit(layers=choice(1, 2))], freeze(layers=1))"
        ],
    ],
)
def test_size_is_the_number_of_settings_of_a_grid(lines):
    given = _read(*lines, head="classification")
    objective = keras_tuner.Objective("accuracy", "max")
    grid = Grid(
        objective=objective, hyperparameters=hyperparameters.build(given.parameters), seed=0
    )
    settings = []
    while (trial := grid.create_trial("a worker")).status == "RUNNING":
        settings.append(given.settings(trial.hyperparameters.values))
        trial.status = "FAILED"
        grid.end_trial(trial)
    assert len({str(one) for one in settings}) == len(settings) == given.size


@pytest.mark.parametrize(
    ("line", "size"),
    [("batch_size=int(8, 20)", 13), ("learning_rate=log(1e-5, 1e-4)", float("inf"))],
)
def test_only_integers_are_counted_without_steps(line, size):
    assert _read(line).size == size


def test_large_space_has_every_end_among_its_corners():
    lines = [f"optimizer.{key}=uniform(0.1, 0.9)" for key in ("beta_1", "beta_2", "epsilon")]
    lines += ["learning_rate=log(1e-5, 1e-3)", "epochs=int(1, 9)", "batch_size=int(1, 64)"]
    lines += ["clip_norm=uniform(0.5, 2)", "max_length=int(16, 128)", POLICY]
    found = _read(*lines)
    corners = list(found.corners())
    assert len(corners) <= space.MAX_CORNERS + 2 * len(found.parameters) + 2
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


@examples(60)
@given(_lines(), st.integers(0, 2**32))
def test_every_sample_is_a_configuration_that_its_flagfile_reproduces(lines, seed):
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
