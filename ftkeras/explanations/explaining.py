"""Explain the answers of a model, whatever it is and however it is loaded."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ftkeras.errors import UserError
from ftkeras.explanations import occlusion
from ftkeras.explanations.explanation import Explanation, decoded, of_outputs
from ftkeras.problems import Problem

GRADIENTS = "integrated_gradients"
METHODS = (GRADIENTS, occlusion.METHOD)
Texts = Mapping[str, str]
Outputs = Mapping[str, Any]


class Explainable(Protocol):
    """A model whose answers can be explained.

    Attributes:
        problem: what it was trained for.
        explains_any: whether `attribute` explains any output, or the largest one alone.
    """

    problem: Problem
    explains_any: bool

    def answer(self, texts: Sequence[Texts]) -> Sequence[Outputs]:
        """Return the outputs of `serving_default` for each text."""
        ...

    def attribute(self, texts: Sequence[Texts], chosen: Sequence[int]) -> Sequence[Outputs]:
        """Return "tokens", "attributions" and "gap" of one output for each text.

        Raises:
            UserError: if the model has no gradients.
        """
        ...

    def attribute_spans(self, texts: Sequence[Texts]) -> Sequence[Outputs]:
        """Return the same of the answer to each question, if the problem `explains_spans`.

        Also "explained", answer or no answer; and "part", where what the model has read of the
        context with the answer starts and ends, in characters.

        Raises:
            UserError: if the model has no gradients.
        """
        ...


def explain(
    model: Explainable,
    texts: Sequence[Texts],
    *,
    method: str = GRADIENTS,
    labels: Sequence[str] = (),
    on_text: Callable[[int], None] = lambda done: None,
) -> list[Explanation]:
    """Explain the answer to each text: what each token or word contributes to it.

    Args:
        model: what answers.
        texts: each as "text", and for pairs "pair".
        method: integrated_gradients or occlusion.
        labels: the outputs to explain; by default those that are the answer to a text.
        on_text: called with the number of texts that are done.

    Returns:
        An explanation of each of these outputs for each text, in the order of the texts.

    Raises:
        UserError: if the method or a label is unknown, or the model can't be explained so.
    """
    if method not in METHODS:
        raise UserError(f"`method` must be {' or '.join(METHODS)}. Received: {method!r}.")
    if model.problem.explains_spans:
        return _explain_spans(model, texts, method, labels, on_text)
    _check(model, method, labels)
    names, explanations = model.problem.names, []
    for number, (text, answer) in enumerate(zip(texts, model.answer(texts), strict=True)):
        chosen = [names.index(label) for label in labels]
        chosen = chosen or list(model.problem.explained_outputs(answer))
        if method == occlusion.METHOD:
            by_name = {names[n]: n for n in chosen}
            served = model.problem.evidence_served
            explanations += occlusion.explain(text, model.answer, served, by_name)
        else:
            explanations += _attributed(model, text, answer, chosen)
        on_text(number + 1)
    return explanations


def _check(model: Explainable, method: str, labels: Sequence[str]) -> None:
    """Raise UserError unless the model can explain these outputs by the method."""
    problem = model.problem
    if isinstance(labels, str):  # whose letters would be the labels
        raise UserError(f"`labels` must be a list, such as [{labels!r}]. Received: {labels!r}.")
    if not problem.explains:
        raise UserError(f"the answers of a {problem.kind} can't be explained in this version.")
    for label in labels:
        if label not in problem.names:
            raise UserError(
                f"`label` must be one of {', '.join(problem.names)}. Received: {label!r}."
            )
    if method == GRADIENTS and labels and not model.explains_any:
        raise UserError(
            "`label`: an exported model explains its own answer; for another one, use "
            "`method`=occlusion, or `run_dir` instead of `model`."
        )


def _attributed(
    model: Explainable, text: Texts, answer: Outputs, chosen: Sequence[int]
) -> list[Explanation]:
    """Explain outputs for a text by gradients; only the first if the model explains no other."""
    chosen = chosen if model.explains_any else chosen[:1]
    rows, names = model.attribute([text] * len(chosen), chosen), model.problem.names
    explanations = []
    for row, number in zip(rows, chosen, strict=True):
        # An exported model says itself which output it has explained, unless it is an older one.
        explained = decoded(row.get("explained", names[number]))
        whole = {**answer, **row}
        explanations.append(of_outputs(whole, text, explained=explained, method=GRADIENTS))
    return explanations


def _explain_spans(
    model: Explainable,
    texts: Sequence[Texts],
    method: str,
    labels: Sequence[str],
    on_text: Callable[[int], None],
) -> list[Explanation]:
    """Explain where the answer to each question is, or that there is none."""
    kind, explanations = model.problem.kind, []
    if labels:
        raise UserError(f"`label`: the answer of a {kind} is explained as a whole; leave it out.")
    if method != GRADIENTS:
        raise UserError(
            f"`method`: the answers of a {kind} are explained by {GRADIENTS} alone. "
            f"Received: {method!r}."
        )
    for text, answer, row in zip(
        texts, model.answer(texts), model.attribute_spans(texts), strict=True
    ):
        whole = {**answer, **row}
        explanations.append(of_outputs(whole, text, explained=row["explained"], method=method))
        on_text(len(explanations))
    return explanations
