"""Train with ExactResume in this process, which may be killed; write all variables to a file.

python -m tests.callbacks.killed_fit FOLDER [FUNCTION NUMBER]

FUNCTION is the function at whose NUMBER-th call the process is killed; see `tests/dying.py`.
"""

import sys

import numpy as np

from tests import dying
from tests.callbacks import fits

if __name__ == "__main__":
    if len(sys.argv) > 2:
        dying.arm(sys.argv[2], int(sys.argv[3]))
    outcome = fits.fit(fits.CASES["dataset"], sys.argv[1])
    history = {f"history {name}": values for name, values in outcome.history.items()}
    variables = {f"variable {n}": value for n, value in enumerate(outcome.variables)}
    np.savez(f"{sys.argv[1]}.npz", **history, **variables)
