"""Build the head, and start it from a fine-tuned checkpoint's classifier where the labels match."""

import logging
import pathlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ftkeras import catalog
from ftkeras.checkpoints import huggingface
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import head_start, masked_lm_head
from ftkeras.experiment.definition import Experiment
from ftkeras.problems import Problem
from ftkeras.support.specs import Spec
from ftkeras.training.finetuner import FineTuner

log = logging.getLogger(__name__)

# The output of a model that scores options one by one.
_SCORE = ("score",)


def build_head(config: Config, default: str, *, outputs: int) -> Any:
    """Build the head that the configuration names, or the default one, with new weights."""
    spec = catalog.parse_head(config.head or default)
    if not spec.name:
        spec = catalog.parse_head(default)
    arguments = {key: value for key, value in spec.arguments.items() if key != "start"}
    cls = catalog.find("head", spec.name)
    own = Spec(spec.name, arguments)
    return catalog.construct("head", cls, own, classes=outputs, outputs=outputs, seed=config.seed)


def start_head(
    config: Config, model: FineTuner, problem: Problem, folder: pathlib.Path | None
) -> None:
    """Assign the checkpoint's classifier to the head if it fits, and log what was done.

    Args:
        config: its `head` may demand the checkpoint's classifier, or a new one.
        model: its encoder has the checkpoint's weights.
        problem: names the run's labels, and says which classifiers fit.
        folder: the checkpoint's; None if the encoder starts with random weights.

    Raises:
        UserError: the classifier is demanded but does not fit.
    """
    if model.head.needs_vocabulary:
        masked_lm_head.start(config, model, folder)
        return
    start = head_start.wanted(config)
    classifier = None if folder is None else _read_classifier(model, problem, folder)
    if folder is None or classifier is None:
        if start == "checkpoint":
            who = "an encoder with random weights" if folder is None else folder
            raise UserError(f"head=checkpoint: {who} has no classifier; use head=new.")
        return
    if start == "new":
        log.info("head     new, as asked for; the checkpoint's classifier is not used")
        return
    try:
        rows = _rows(classifier, model, problem, may_be_numbered=start == "checkpoint")
    except ValueError as misfit:
        if start == "checkpoint":
            raise UserError(
                f"head=checkpoint: the classifier of {folder} can't be used: {misfit}; "
                "use head=new."
            ) from None
        log.info("head     new; the checkpoint's classifier is not used: %s", misfit)
        return
    model.head.kernel.assign(np.asarray(classifier.kernel, "float32")[rows].T)
    if classifier.bias is not None:
        model.head.bias.assign(np.asarray(classifier.bias, "float32")[rows])
    labels = _SCORE if problem.reads == "options" else problem.names[:5]
    log.info("head     the checkpoint's classifier, for the labels %s", ", ".join(labels))


class _Classifier(NamedTuple):
    """A checkpoint's classifier.

    Attributes:
        name: of its kernel.
        kernel: [labels, hidden].
        bias: [labels]; None if the class of transformers has none.
        config: the checkpoint's config.json.
        tensors: the names of all tensors of the checkpoint.
    """

    name: str
    kernel: np.ndarray
    bias: np.ndarray | None
    config: Mapping[str, Any]
    tensors: Collection[str]


def _read_classifier(
    model: FineTuner, problem: Problem, folder: pathlib.Path
) -> _Classifier | None:
    """Return the classifier in a checkpoint's folder; None if it has none."""
    tensors: Any = huggingface.read_tensors(folder)
    family = model.encoder.family
    name = family.classifier_name(problem.huggingface_class)
    kernel, bias = f"{name}.weight", f"{name}.bias"
    has_bias = family.has_bias(problem.huggingface_class)
    if kernel not in tensors or (has_bias and bias not in tensors):
        return None
    config = huggingface.read_config(folder)
    return _Classifier(
        kernel, tensors[kernel], tensors[bias] if has_bias else None, config, tensors.keys()
    )


def _rows(
    classifier: _Classifier, model: FineTuner, problem: Problem, *, may_be_numbered: bool
) -> list[int]:
    """Return the classifier's row of each of the head's outputs.

    Args:
        classifier: the checkpoint's.
        model: whose head to start.
        problem: names the labels.
        may_be_numbered: whether a classifier without names of labels fits, if it has as many.

    Raises:
        ValueError: if the classifier does not fit; with the reason.
    """
    labels, names = problem.names, _names(classifier.config, len(classifier.kernel))
    if problem.reads == "contexts":  # start and end, in all models
        names = list(labels)
    if problem.reads == "options":  # one score for each
        names, labels = list(_SCORE), _SCORE
    if misfit := _misfit(model, problem, classifier.config, classifier.tensors):
        raise ValueError(misfit)
    shape = (len(names), model.encoder.hidden)
    if classifier.kernel.shape != shape:
        actual = classifier.kernel.shape
        raise ValueError(f"{classifier.name} has shape {actual} instead of {shape}")
    rows = _match(names, labels)
    if rows is None and may_be_numbered and _are_numbered(names, labels):
        rows = list(range(len(labels)))
    if rows is None:
        known = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        raise ValueError(f"its labels are {known}")
    return rows


def start_bias(experiment: Experiment, targets: np.ndarray) -> None:
    """Start the bias of a new head from the shares of the labels, if the problem asks for it.

    A private run does not: the shares would tell about single examples.

    Args:
        experiment: its class weights are known.
        targets: of the training split.
    """
    prior = experiment.problem.prior(targets)
    if prior is None or experiment.config.private is not None:
        return
    bias = experiment.model.head.bias
    if np.any(bias):  # it is a checkpoint's
        return
    bias.assign(prior)
    log.info("head     new; its bias starts from the share of each label in train")


def _misfit(
    model: FineTuner, problem: Problem, config: Mapping[str, Any], tensors: Collection[str]
) -> str | None:
    """Return the reason why the classifier computes something else than the head, or None."""
    head, family = model.head, model.encoder.family
    wanted = family.class_name(problem.huggingface_class)
    architectures = config.get("architectures") or [wanted]
    if wanted not in architectures:
        return f"config.json has {', '.join(map(str, architectures))}, not {wanted}"
    for field, fixed in family.classifier_fixed.items():
        if config.get(field, fixed) != fixed:
            return f"config.json has {field} {config[field]!r}, not {fixed!r}"
    if misfit := problem.misfit(config):
        return misfit
    if head.per_token:
        return "it reads layers that the head lacks" if family.layers_of_tokens else None
    if not family.pools_for(problem.huggingface_class):
        return f"{wanted} has another pooler"
    if not head.needs_pooler:
        return f"it reads the pooler, but the head has pooling={head.pooling!r}"
    if not family.pooler_tensors.issubset(map(family.plain_name, tensors)):
        return "the checkpoint has no pooler, which it reads"
    return None


def _names(config: Mapping[str, Any], count: int) -> list[str]:
    """Return the names of the classifier's labels; LABEL_0 and so on if there are none."""
    named = config.get("id2label")
    named = named if isinstance(named, dict) else {}
    return [str(named.get(str(index), f"LABEL_{index}")) for index in range(count)]


def _match(names: Sequence[str], labels: Sequence[str]) -> list[int] | None:
    """Return the classifier's row of each label, or None; case may differ if that is unambiguous.

    >>> _match(["NEGATIVE", "POSITIVE"], ["positive", "negative"])
    [1, 0]
    """
    for spell in (str, str.casefold):
        rows = {spell(name): row for row, name in enumerate(names)}
        wanted = [spell(label) for label in labels]
        if len(rows) == len(names) == len(labels) and rows.keys() == set(wanted):
            return [rows[label] for label in wanted]
    return None


def _are_numbered(names: Sequence[str], labels: Sequence[str]) -> bool:
    """Return whether the classifier has as many labels, but no names for them."""
    return list(names) == [f"LABEL_{index}" for index in range(len(labels))]
