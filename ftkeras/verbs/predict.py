"""Labels texts with an exported model."""

import itertools
import json
import logging
import pathlib
import sys
from collections.abc import Iterable, Iterator

from ftkeras.config.verbs import PredictConfig
from ftkeras.errors import UserError

log = logging.getLogger(__name__)

# Texts looked at together: enough to put those of like length in one step, few enough to stream.
TEXTS_A_CHUNK = 4096


def run(config: PredictConfig) -> None:
    """`predict`: a line a text on standard output, in the order of the input."""
    folder = version_folder(config.model)
    texts = _texts(config)
    model = load(folder)
    while chunk := list(itertools.islice(texts, TEXTS_A_CHUNK)):
        for text, answer in zip(chunk, label(model, chunk, config.batch_size), strict=True):
            log.info(_line(text, answer, as_json=config.json))


def version_folder(model: str | None) -> pathlib.Path:
    """The folder of the version to use: the newest one where a folder of versions is named."""
    if not model:
        raise UserError("predict needs `model`, an exported model such as saved_models/imdb.")
    folder = pathlib.Path(model)
    versions = [p for p in folder.glob("*") if p.name.isdecimal() and p.is_dir()]
    if versions:
        folder = max(versions, key=lambda version: int(version.name))
    if not (folder / "saved_model.pb").is_file():
        raise UserError(
            f"model={model} holds no SavedModel; name a folder such as saved_models/imdb or "
            "saved_models/imdb/1."
        )
    return folder


def load(folder: pathlib.Path):
    """The model's `serving_default`: texts [batch] -> label, score, probabilities."""
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  registers the ops of the text layer

    try:
        loaded = tf.saved_model.load(str(folder))
        signature = loaded.signatures["serving_default"]
        inputs = set(signature.structured_input_signature[1])
    except Exception as error:  # whatever TensorFlow met, the folder is what must change
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"model={folder} can't be loaded: {reason}") from error
    if inputs not in ({"text"}, {"text", "pair"}):
        raise UserError(f"model={folder} takes {', '.join(inputs)}; ftkeras' exports take text.")
    # The signature captures the variables weakly: whoever holds it must hold the model as well.
    signature.model = loaded
    return signature


def label(signature, texts: list[str], batch_size: int) -> Iterator[dict]:
    """The answer to each text, in order; texts of like length share a step."""
    import tensorflow as tf

    columns_of = _columns(texts, pairs="pair" in signature.structured_input_signature[1])
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    answers: list[dict] = [{}] * len(texts)
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        outputs = signature(
            **{name: tf.constant([c[i] for i in batch]) for name, c in columns_of.items()}
        )
        columns = (outputs[name].numpy() for name in ("label", "score", "probabilities"))
        for index, name, score, probabilities in zip(batch, *columns, strict=True):
            answers[index] = {
                "label": name.decode(),
                "score": float(score),
                "probabilities": [float(p) for p in probabilities],
            }
    return iter(answers)


def _columns(texts: list[str], *, pairs: bool) -> dict[str, list[bytes]]:
    """The signature's inputs; the two texts of a pair stand in one line, a tab between them."""
    if not pairs:
        return {"text": [_encoded(text) for text in texts]}
    parts = [text.split("\t") for text in texts]
    for text, part in zip(texts, parts, strict=True):
        if len(part) != 2:
            raise UserError(
                f"`model` labels pairs: two texts a line, one tab between. Received: {text!r}."
            )
    first, second = zip(*parts, strict=True)
    return {"text": [_encoded(text) for text in first], "pair": [_encoded(text) for text in second]}


def _encoded(text: str) -> bytes:
    # A lone surrogate, which a str may hold, becomes invalid UTF-8, which the text layer replaces.
    return text.encode("utf-8", "surrogatepass")


def _texts(config: PredictConfig) -> Iterator[str]:
    if config.text and config.input:
        raise UserError("predict takes `text` or `input`, not both.")
    if config.text:
        return iter(config.text)
    if config.input is None:
        if sys.stdin.isatty():
            print("one text a line; Ctrl-D ends", file=sys.stderr)
        return _lines(sys.stdin.buffer)
    try:
        return _lines(open(config.input, "rb"))
    except OSError as error:
        raise UserError(f"input={config.input} can't be read: {error.strerror}.") from None


def _lines(file: Iterable[bytes]) -> Iterator[str]:
    for line in file:
        yield line.rstrip(b"\r\n").decode("utf-8", "replace")


def _line(text: str, answer: dict, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({**answer, "text": text}, ensure_ascii=True)
    shown = text.encode("utf-8", "replace").decode().replace("\n", " ")
    return f"{answer['label']}\t{answer['score']:.4f}\t{shown}"
