"""Fine-tune BERT-family text encoders with TensorFlow and Keras 3, and serve them.

Names are imported when they are first used, so `import ftkeras` is fast and does not import
TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ftkeras import (
        averages,
        callbacks,
        encoders,
        heads,
        losses,
        optimizers,
        policies,
        regularizers,
        schedules,
        sklearn,
        text,
    )
    from ftkeras.api.batches import bucketed_batches, packed_batches
    from ftkeras.api.dossiers import dossier
    from ftkeras.api.keras_classes import register_keras_classes
    from ftkeras.api.model import Model, load
    from ftkeras.api.monitoring import Drift, drift
    from ftkeras.api.multi_label_text_classifier import MultiLabelTextClassifier
    from ftkeras.api.multiple_choice import MultipleChoice
    from ftkeras.api.question_answerer import QuestionAnswerer
    from ftkeras.api.results import Evaluation, Run
    from ftkeras.api.searches import CrossValidation, Search
    from ftkeras.api.selections import select
    from ftkeras.api.text_classifier import TextClassifier
    from ftkeras.api.text_regressor import TextRegressor
    from ftkeras.api.text_similarity import TextSimilarity
    from ftkeras.api.token_classifier import TokenClassifier
    from ftkeras.api.verbs import (
        compare,
        crossvalidate,
        evaluate,
        export,
        pretrain,
        push,
        report,
        train,
        tune,
    )
    from ftkeras.errors import Blocked, Stopped, UserError
    from ftkeras.support.reporter import Reporter

__version__ = "0.1.0"

__all__ = [
    "Blocked",
    "CrossValidation",
    "Drift",
    "Evaluation",
    "Model",
    "MultiLabelTextClassifier",
    "MultipleChoice",
    "QuestionAnswerer",
    "Reporter",
    "Run",
    "Search",
    "Stopped",
    "TextClassifier",
    "TextRegressor",
    "TextSimilarity",
    "TokenClassifier",
    "UserError",
    "__version__",
    "averages",
    "bucketed_batches",
    "callbacks",
    "compare",
    "crossvalidate",
    "dossier",
    "drift",
    "encoders",
    "evaluate",
    "export",
    "heads",
    "load",
    "losses",
    "optimizers",
    "packed_batches",
    "policies",
    "pretrain",
    "push",
    "register_keras_classes",
    "regularizers",
    "report",
    "schedules",
    "select",
    "sklearn",
    "text",
    "train",
    "tune",
]

_MODULES = {
    "ftkeras.api.batches": ("bucketed_batches", "packed_batches"),
    "ftkeras.api.dossiers": ("dossier",),
    "ftkeras.api.keras_classes": ("register_keras_classes",),
    "ftkeras.api.model": ("Model", "load"),
    "ftkeras.api.monitoring": ("Drift", "drift"),
    "ftkeras.api.multi_label_text_classifier": ("MultiLabelTextClassifier",),
    "ftkeras.api.multiple_choice": ("MultipleChoice",),
    "ftkeras.api.question_answerer": ("QuestionAnswerer",),
    "ftkeras.api.results": ("Evaluation", "Run"),
    "ftkeras.api.searches": ("CrossValidation", "Search"),
    "ftkeras.api.selections": ("select",),
    "ftkeras.api.text_classifier": ("TextClassifier",),
    "ftkeras.api.text_regressor": ("TextRegressor",),
    "ftkeras.api.text_similarity": ("TextSimilarity",),
    "ftkeras.api.token_classifier": ("TokenClassifier",),
    "ftkeras.api.verbs": (
        "compare",
        "crossvalidate",
        "evaluate",
        "export",
        "pretrain",
        "push",
        "report",
        "train",
        "tune",
    ),
    "ftkeras.errors": ("Blocked", "Stopped", "UserError"),
    "ftkeras.support.reporter": ("Reporter",),
}


def __getattr__(name: str) -> Any:
    """Import what a public name stands for."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    if name in __all__:
        return importlib.import_module(f"ftkeras.{name}")
    raise AttributeError(f"module 'ftkeras' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
