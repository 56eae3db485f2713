import dataclasses

import numpy as np
import pytest

from ftkeras.config.run import Config
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import build, evaluation, optimization


def test_logits_are_the_same_however_texts_come_together():
    config = Config(
        task="quickstart",
        encoder="bert(layers=1, hidden=32, heads=2, positions=64, vocabulary='reviews')",
        max_length=64,
        test_examples=45,
    )
    experiment, logits = build.experiment(config), {}
    optimization.compile_to_evaluate(experiment)
    random = np.random.default_rng(0)
    for variable in experiment.model.weights:  # so large that texts differ
        variable.assign(variable + 0.2 * random.normal(size=variable.shape))
    with open_splits(config, experiment.task, experiment.text_layer) as splits:
        for batching in ("padded", "bucketed", "packed"):
            other = dataclasses.replace(config, batching=batching)
            same = dataclasses.replace(experiment, config=other)
            logits[batching] = evaluation.predict_logits(same, splits.test)
    assert logits["padded"].shape == (45, 2)
    assert np.std(logits["padded"][:, 0]) > 0.1
    for batching in ("bucketed", "packed"):
        np.testing.assert_allclose(logits[batching], logits["padded"], atol=1e-5)


@pytest.mark.matrix
def test_logits_that_are_not_finite_are_refused_in_one_line(tmp_path):
    config = Config(
        task="quickstart",
        encoder="bert(layers=1, hidden=32, heads=2, positions=64, vocabulary='reviews')",
        max_length=64,
        train_examples=60,
        validation_examples=20,
        cache_dir="none",
    )
    experiment = build.experiment(config)
    optimization.compile_to_evaluate(experiment)
    experiment.model.head.bias.assign([0.0, np.nan])
    splits = open_splits(config, experiment.task, experiment.text_layer)
    with splits as opened, pytest.raises(UserError, match="not finite for 20 of 20 val") as caught:
        evaluation.evaluate(experiment, opened, tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
