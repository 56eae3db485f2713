import pytest

from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import checks


@pytest.mark.parametrize("objective", ["f1", "mcc", "loss"])
def test_objective_is_any_metric(objective):
    checks.check(Config(objective=objective))


def test_unknown_objective_is_refused_with_the_metrics_to_choose_from():
    with pytest.raises(UserError, match="`objective` must be accuracy, loss, .*: 'f2'") as caught:
        checks.check(Config(objective="f2"))
    assert "balanced_accuracy" in str(caught.value)
