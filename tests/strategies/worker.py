"""One worker of a cluster: it trains under each setting, and the chief writes the results.

python -m tests.strategies.worker FILE, with TF_CONFIG
"""

import pathlib
import pickle
import sys

import keras
import numpy as np

from ftkeras.strategies import Devices
from ftkeras.strategies.multi_worker import MultiWorker
from tests.strategies import tiny
from tests.strategies.settings import COMPRESSED, ON_TWO_WORKERS


def main(path: str) -> None:
    devices = MultiWorker().open()
    settings = ON_TWO_WORKERS | {f"compressed {name}": one for name, one in COMPRESSED.items()}
    outcomes = {name: tiny.run(setting, devices) for name, setting in settings.items()}
    heard = devices.broadcast_from_chief(f"from {devices.worker}".encode())
    kept = pathlib.Path(f"{path}.{devices.worker}")
    kept.write_bytes(pickle.dumps((outcomes, heard, keras_itself(devices))))


def keras_itself(devices: Devices) -> str:
    """Return the error of Keras's own `fit` with several workers; empty if it works."""
    with devices.scope():
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(optimizer="sgd", loss="mse", jit_compile=False)
    x = np.ones((4, 1), "float32")
    try:
        model.fit(x, x, batch_size=2, verbose=0)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    main(sys.argv[1])
