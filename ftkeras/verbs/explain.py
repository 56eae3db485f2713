"""Explain a model's answers: what each token or word of a text contributes to them."""

import json
import logging
import os
import pathlib
import sys
from collections.abc import Sequence

from ftkeras.config.explain import ExplainConfig
from ftkeras.explanations import explaining
from ftkeras.explanations.explaining import Explainable
from ftkeras.explanations.explanation import Explanation

log = logging.getLogger(__name__)


def run(config: ExplainConfig) -> list[Explanation]:
    """Log an explanation of each answer: a coloured text on a terminal, otherwise a table.

    Raises:
        UserError: if the model, a text or a label is wrong, or the model can't be explained so.
    """
    pairs = config.pair or [None] * len(config.text)
    texts = [
        {"text": text} | ({} if pair is None else {"pair": pair})
        for text, pair in zip(config.text, pairs, strict=True)
    ]
    model, method = _open(config), config.method
    explanations = explaining.explain(model, texts, method=method, labels=config.label)
    between = "\n" if config.json else "\n\n"
    log.info("%s", between.join(_shown(explanations, as_json=config.json)))
    return explanations


def _open(config: ExplainConfig) -> Explainable:
    if config.run_dir is not None:
        from ftkeras.experiment import explaining as of_run

        return of_run.open_run(
            pathlib.Path(config.run_dir), steps=config.steps, batch_size=config.batch_size
        )
    from ftkeras.prediction.explaining import ExportedModel
    from ftkeras.prediction.predictor import Predictor
    from ftkeras.serving.model_folder import find_model

    return ExportedModel(
        Predictor(find_model(config.model, "explain")), batch_size=config.batch_size
    )


def _shown(explanations: Sequence[Explanation], *, as_json: bool) -> list[str]:
    if as_json:
        return [json.dumps(one, ensure_ascii=False) for one in explanations]
    colored = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return [one.terminal(colored=colored) for one in explanations]
