"""Compare finished runs: the contents of compare.json."""

import logging
from collections.abc import Sequence

import numpy as np

from ftkeras.errors import UserError
from ftkeras.runs import example_texts, reader
from ftkeras.runs.reader import FinishedRun
from ftkeras.statistics import comparison, conclusions

log = logging.getLogger(__name__)

# Smaller disagreements about an example look like none when they are shown.
LEAST_SPREAD = 0.01
# What stands for the split if cross-validations are compared.
OUT_OF_FOLD = "out-of-fold"


def compare(
    recipes: Sequence[Sequence[FinishedRun]],
    names: str,
    *,
    split: str,
    confidence: float,
    resamples: int,
    seed: int,
    disagreements: int,
) -> dict:
    """Return the metrics of each recipe, the tests of each pair, and what follows.

    A single recipe has no pairs: its metrics and their spread over its runs are the result.

    Args:
        recipes: the runs of each recipe, all on the same examples.
        names: a letter per recipe.
        split: test or validation; cross-validations have out-of-fold predictions instead.
        confidence: of all intervals, between 0 and 1.
        resamples: number of bootstrap samples.
        seed: of the bootstrap.
        disagreements: number of examples to list on which the recipes disagree most.
    """
    first = recipes[0][0]
    metrics, pairs = comparison.compare(
        recipes, names, resamples=resamples, seed=seed, confidence=confidence
    )
    rows = zip(names, recipes, reader.recipe_differences(recipes), metrics, strict=True)
    return {
        "split": split if first.folds is None else OUT_OF_FOLD,
        "examples": len(first.ids),
        "confidence": confidence,
        "bootstrap": {"resamples": resamples, "seed": seed, "ends": "percentiles"},
        "ways": [_recipe(*row) for row in rows],
        "pairs": pairs,
        "conclusions": conclusions.sentences(recipes, pairs, split=split, confidence=confidence),
        "disagreements": find_disagreements(recipes, names, disagreements if pairs else 0),
    }


def find_disagreements(
    recipes: Sequence[Sequence[FinishedRun]], names: str, count: int
) -> list[dict]:
    """Return the examples on which the recipes' predictions differ most.

    Args:
        recipes: the runs of each recipe; a recipe's prediction is the mean over its runs.
        names: a letter per recipe.
        count: the most examples to return.
    """
    first = recipes[0][0]
    by_recipe = [np.mean([run.predictions.compared for run in runs], axis=0) for runs in recipes]
    numbers = np.stack(by_recipe, axis=1)
    spread = numbers.max(axis=1) - numbers.min(axis=1)
    most = [n for n in np.argsort(-spread, kind="stable")[:count] if spread[n] >= LEAST_SPREAD]
    texts = _texts(first, [first.ids[example] for example in most])
    return [
        {
            "id": first.ids[example],
            **first.answers[example],
            first.predictions.tested.compared: dict(
                zip(names, numbers[example].tolist(), strict=True)
            ),
            "text": texts.get(first.ids[example]),
        }
        for example in most
    ]


def _texts(run: FinishedRun, ids: Sequence[str]) -> dict[str, str]:
    """Return the texts of examples by their ids; none if the data is no longer available."""
    try:
        return example_texts.read(run.config, ids, redacted=True) if ids else {}
    except UserError as error:
        log.info(f"note: no texts are shown: {error}")
        return {}


def _recipe(name: str, runs: Sequence[FinishedRun], settings: dict, metrics: dict) -> dict:
    return {
        "name": name,
        "settings": settings,
        "folders": list(dict.fromkeys(run.folder for run in runs)),
        "draws": [run.seed_and_repeat for run in runs],
        runs[0].predictions.tested.plural: [float(r.predictions.scores.mean()) for r in runs],
        "figures": metrics,
        "over_runs": comparison.spread(runs),
    }
