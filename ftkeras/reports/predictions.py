"""Predictions as lines of text."""

import json

from ftkeras.prediction.predictor import Prediction


def line(text: str, prediction: Prediction) -> str:
    """Return label, score and text with tabs between them; line breaks become spaces."""
    shown = text.encode("utf-8", "replace").decode().replace("\n", " ")
    return f"{prediction.label}\t{prediction.score:.4f}\t{shown}"


def json_line(text: str, prediction: Prediction) -> str:
    """Return a JSON object with label, score, probabilities and text."""
    return json.dumps({**vars(prediction), "text": text}, ensure_ascii=True)
