"""Private runs: settings that break the guarantee are refused by name, and the secret is kept."""

import json
import stat

import numpy as np
import pytest

from ftkeras.config.find_rate import FindRateConfig
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import Stopped, UserError
from ftkeras.experiment import checks
from ftkeras.verbs import train
from tests.training.test_state import SMALL, stop  # noqa: F401  a fixture

PRIVATE = "dp_sgd(noise=1.0, delta=1e-3)"
PUBLIC = "dp_sgd(noise=1.0, delta=1e-3, public_validation=True)"
TINY = {**SMALL, "epochs": 2, "test": False, "report": False}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"batching": "packed"}, "batching=packed"),
        ({"batch_tokens": 500}, "batch_tokens=500"),
        ({"accumulate": 2}, "accumulate=2"),
        ({"oversample": True}, "`oversample`"),
        ({"class_weights": "balanced"}, "class_weights=balanced"),
        ({"teacher": ("run",), "regularizer": ("distill",)}, "teacher=run"),
        ({"few_shot": "contrastive"}, "few_shot=contrastive"),
        ({"self_training": "rounds", "unlabelled": ("a.txt",)}, "self_training=rounds"),
        ({"pretrain_epochs": 1}, "pretrain_epochs=1"),
        ({"folds": 3, "fold": 0}, "folds=3"),
        ({"precision": "mixed_float16"}, "precision=mixed_float16"),
        ({"jit_compile": "true"}, "jit_compile=true"),
        ({"strategy": "multi_worker(compress='bfloat16')"}, r"strategy=multi_worker\(.*\)"),
        ({"regularizer": ("l2",)}, "regularizer=l2"),
        ({"regularizer": ("l2_sp",)}, "regularizer=l2_sp"),
        ({"task": "positive_pairs(train='a.csv')", "loss": None}, "loss=in_batch_negatives"),
        ({"early_stopping": 1}, "early_stopping=1.*public_validation"),
        ({"evaluate_every": 2}, "evaluate_every=2.*public_validation"),
        ({"calibrate": True}, "`calibrate`.*public_validation"),
        ({"schedule": "reduce_on_plateau"}, "schedule=reduce_on_plateau.*public_validation"),
    ],
)
def test_what_breaks_the_guarantee_is_refused_by_name(settings, named):
    with pytest.raises(UserError, match=named) as raised:
        checks.check(Config(**{**SMALL, **settings, "private": PRIVATE}))
    assert "private=dp_sgd" in str(raised.value)


def test_public_validation_may_select():
    settings = {"early_stopping": 1, "evaluate_every": 2, "schedule": "reduce_on_plateau"}
    checks.check(Config(**SMALL, **settings, private=PUBLIC))


@pytest.mark.parametrize(
    "phase",
    [
        {"pretrain_epochs": 1},
        {"few_shot": "contrastive"},
        {"self_training": "rounds", "unlabelled": ("more.txt",), "validation_share": 0.1},
    ],
)
def test_no_phase_is_trained_before_a_private_run_is_refused(phase, tmp_path):
    settings = {**TINY, **phase, "private": PRIVATE, "run_dir": str(tmp_path / "run")}
    with pytest.raises(UserError, match=f"{next(iter(phase))}.* can't be combined with private"):
        train.run(Config(**settings))
    assert not (tmp_path / "run").exists()


def test_verbs_that_train_several_times_refuse_it():
    with pytest.raises(UserError, match="tune does not take `private`"):
        TuneConfig(**SMALL, private=PRIVATE)
    with pytest.raises(UserError, match="find_rate does not take `private`"):
        FindRateConfig(**SMALL, private=PRIVATE)


def test_rows_that_are_updated_must_not_tell_what_was_read(tmp_path):
    settings = {"optimizer": "adamw(lazy=True)", "private": PRIVATE, "run_dir": str(tmp_path / "r")}
    with pytest.raises(UserError, match="lazy updates can't be combined with private"):
        train.run(Config(**{**TINY, **settings}))


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """Return files of numbers, of pairs with a score, and of several labels."""
    home = tmp_path_factory.mktemp("answered")
    rng = np.random.default_rng(0)
    for name, rows in {
        "numbers.csv": [f"text {n},{rng.normal():.3f}" for n in range(60)],
        "labels.csv": [f"text {n},{'a;b' if n % 3 else 'b'}" for n in range(60)],
    }.items():
        (home / name).write_text("\n".join(["text,label", *rows]) + "\n")
    return home


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("regression(train='{}/numbers.csv')", "mean, sd would be computed from the training"),
        ("multi_label(train='{}/labels.csv')", "thresholds are chosen on the validation split"),
    ],
)
def test_numbers_of_the_data_without_noise_are_refused(task, reason, answered, tmp_path):
    own = {"task": task.format(answered), "train_examples": None, "validation_examples": None}
    settings = {**TINY, **own, "private": PRIVATE, "run_dir": str(tmp_path / "r")}
    with pytest.raises(UserError, match=reason):
        train.run(Config(**settings))
    assert not (tmp_path / "r" / "run.cfg").exists()


@pytest.fixture
def config(tmp_path):
    def make(**settings) -> Config:
        own = {"private": PRIVATE, "run_dir": str(tmp_path / "run")}
        return Config(**{**TINY, **own, **settings})

    return make


@pytest.mark.matrix
def test_secret_is_kept_until_the_run_is_finished(config, tmp_path, stop):  # noqa: F811
    key = tmp_path / "run" / "privacy.key"
    stop(3)
    with pytest.raises(Stopped):
        train.run(config())
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_bytes()) == 32
    done = train.run(config())
    assert not key.exists()
    assert done.metrics["privacy"]["steps"] == 10
    assert done.metrics["privacy"]["secret"] is True
    assert 0 < done.metrics["privacy"]["epsilon"] < done.metrics["privacy"]["epsilon_rdp"]
    # The last epoch is kept, whatever validation says.
    assert done.metrics["train"]["best_epoch"] == 2
    recorded = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert recorded["privacy"] == done.metrics["privacy"]


@pytest.mark.matrix
def test_run_with_other_noise_is_not_resumed(config, stop):  # noqa: F811
    settings = {"private": "dp_sgd(epsilon=3, delta=1e-3)"}
    stop(3)
    with pytest.raises(Stopped):
        train.run(config(**settings))
    with pytest.raises(UserError, match="run with noise 1.* now need noise 1.*restart"):
        train.run(config(**settings, epochs=3))
