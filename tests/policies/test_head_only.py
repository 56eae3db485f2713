import keras
import numpy as np
import pytest

from tests.policies import tiny


@pytest.mark.parametrize("dropout", [False, True])
def test_features_in_training_are_those_of_inference_unless_dropout_stays(dropout):
    model = tiny.model()
    tiny.prepared(model, f"head_only(dropout={dropout})")
    at_rest = model.encoder(tiny.TOKEN_IDS, training=False)["pooled"]
    training = model.encoder(tiny.TOKEN_IDS, training=True)["pooled"]
    same = np.array_equal(*map(keras.ops.convert_to_numpy, (at_rest, training)))
    assert same is not dropout
