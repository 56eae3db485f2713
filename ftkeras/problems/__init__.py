"""Problems: what a model is asked about a text, and everything that follows from it; one per file.

A task is a dataset; its `problem()` says what its answers are. A problem decides how answers are
stored and put into batches, which loss and metrics suit them, how outputs become answers, and what
an export returns. No other code may ask which problem it is dealing with: it calls a member of
`Problem` instead.

>>> import numpy as np
>>> from ftkeras.problems.classification import Classification
>>> problem = Classification(labels=("bad", "good"))
>>> problem.decode(np.array([1]), np.array([[0.0, 0.0]]))
[{'label': 'good', 'predicted': 'bad', 'probabilities': [0.5, 0.5]}]
"""

from ftkeras.problems._base import SEVERAL_ROWS, Measure, Problem
from ftkeras.problems._baselines import Baseline, BaselineData
from ftkeras.problems._collation import per_example
from ftkeras.problems._comparison import Comparison
from ftkeras.problems._contexts import ContextOutputs
from ftkeras.problems._files import find, is_lower_better, names, rank_key, recorded
from ftkeras.problems._words import WordOutputs

__all__ = [
    "SEVERAL_ROWS",
    "Baseline",
    "BaselineData",
    "Comparison",
    "ContextOutputs",
    "Measure",
    "Problem",
    "WordOutputs",
    "find",
    "is_lower_better",
    "names",
    "per_example",
    "rank_key",
    "recorded",
]
