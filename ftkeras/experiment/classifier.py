"""Build the head, and start it from a fine-tuned checkpoint's classifier where the labels match."""

import logging
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras import catalog
from ftkeras.checkpoints import huggingface
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import masked_lm_head
from ftkeras.experiment.definition import Experiment
from ftkeras.problems import Problem
from ftkeras.support.specs import Spec
from ftkeras.training.finetuner import FineTuner

log = logging.getLogger(__name__)


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
    start = "auto"
    if config.head is not None:
        start = catalog.parse_head(config.head).arguments.get("start", start)
    tensors = {} if folder is None else huggingface.read_tensors(folder)
    family = model.encoder.family
    classifier = family.classifier_name(problem.huggingface_class)
    kernel, bias = (f"{classifier}.{part}" for part in ("weight", "bias"))
    has_bias = family.has_bias(problem.huggingface_class)
    if folder is None or kernel not in tensors or (has_bias and bias not in tensors):
        if start == "checkpoint":
            who = "an encoder with random weights" if folder is None else folder
            raise UserError(f"head=checkpoint: {who} has no classifier; use head=new.")
        return
    if start == "new":
        log.info("head     new, as asked for; the checkpoint's classifier is not used")
        return
    labels, names = problem.names, _names(huggingface.read_config(folder), len(tensors[kernel]))
    if problem.reads == "contexts":  # start and end, in all models
        names = list(labels)
    if problem.reads == "options":  # one score for each
        names, labels = ["score"], ("score",)
    shape = (len(names), model.encoder.hidden)
    misfit = _misfit(model, problem, huggingface.read_config(folder), tensors)
    if not misfit and (found := tensors[kernel].shape) != shape:
        misfit = f"{kernel} has shape {found} instead of {shape}"
    rows = None if misfit else _match(names, labels)
    if rows is None and not misfit and start == "checkpoint" and _are_numbered(names, labels):
        rows = list(range(len(labels)))
    if rows is None:
        known = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        misfit = misfit or f"its labels are {known}"
        if start == "checkpoint":
            raise UserError(
                f"head=checkpoint: the classifier of {folder} can't be used: {misfit}; "
                "use head=new."
            )
        log.info("head     new; the checkpoint's classifier is not used: %s", misfit)
        return
    model.head.kernel.assign(np.asarray(tensors[kernel], "float32")[rows].T)
    if has_bias:
        model.head.bias.assign(np.asarray(tensors[bias], "float32")[rows])
    log.info("head     the checkpoint's classifier, for the labels %s", ", ".join(labels[:5]))


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
    model: FineTuner, problem: Problem, config: Mapping[str, Any], tensors: Mapping[str, np.ndarray]
) -> str | None:
    """Return why the classifier computes something else than the head, or None."""
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
