"""Distill into a small model with PyTorch and transformers, as the reference for ours.

    python -m tests.training.make_distillation

It needs torch and transformers, and runs from the repository's root. For each of `OUTPUTS` it
writes a file such as distillation_regression.npz beside itself: the batches of make_trajectory.py
with a teacher's logits, which examples have a label, which answers of the teacher exist, the head's
initial kernel, the loss of each step, and the final logits and one final kernel.
The divergence is `torch.nn.functional.kl_div`.
"""

import numpy as np

from tests.training import make_trajectory as torch_run
from tests.training.make_trajectory import (
    BATCH,
    CLASSES,
    HERE,
    LABELS,
    LENGTH,
    NUMBERS,
    STEPS,
    TAGS,
)

TEMPERATURE, WEIGHT = 2.0, 0.7
CLIP = 0.1  # below the norm of the gradient in some step
OUTPUTS = {
    "classification": CLASSES,
    "regression": NUMBERS,
    "multi_label": LABELS,
    "token_classification": TAGS,
    "question_answering": 2,
}


def _data(random, case, token_ids):
    """Return labels, which of them count, the teacher's logits and which of these exist."""
    if case == "question_answering":
        return _spans(random, token_ids)
    units = (STEPS, BATCH, LENGTH) if "token" in case else (STEPS, BATCH)
    outputs = OUTPUTS[case]
    teacher = random.normal(scale=2.0, size=(*units, outputs)).astype("float32")
    labels = {
        "regression": lambda: random.normal(size=(*units, outputs)).astype("float32"),
        "multi_label": lambda: random.integers(2, size=(*units, outputs)).astype("float32"),
    }.get(case, lambda: random.integers(outputs, size=units))()
    is_word = token_ids != 0 if "token" in case else np.ones(units, bool)
    labelled = is_word & (random.random((STEPS, BATCH, *[1] * (len(units) - 2))) < 0.7)
    taught = is_word & (random.random(units) < 0.9)
    return labels, labelled, teacher, taught


def _spans(random, token_ids):
    """Return the same for the start and the end of answers, whose rows end with padding."""
    units = (STEPS, BATCH)
    teacher = random.normal(scale=2.0, size=(*units, LENGTH, 2)).astype("float32")
    lengths = (token_ids != 0).sum(-1)
    places = np.sort(random.integers(lengths[..., None], size=(*units, 2)), axis=-1)
    return places, random.random(units) < 0.7, teacher, random.random(units) < 0.9


def _losses(case, logits, labels, teacher):
    """Return the task's loss and the distance from the teacher of each example or word."""
    from torch.nn import functional as f

    if case == "regression":
        distance = ((logits - teacher) ** 2).mean(-1)
        return ((logits - labels) ** 2).mean(-1), distance
    if case == "multi_label":
        own, other = (f.logsigmoid(_pair(z / TEMPERATURE)) for z in (logits, teacher))
        distance = f.kl_div(own, other, reduction="none", log_target=True).sum(-1).mean(-1)
        task = f.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(-1)
        return task, TEMPERATURE**2 * distance
    own, other = (f.log_softmax(z / TEMPERATURE, dim=-1) for z in (logits, teacher))
    distance = f.kl_div(own, other, reduction="none", log_target=True).sum(-1)
    return f.cross_entropy(logits, labels, reduction="none"), TEMPERATURE**2 * distance


def _span_losses(logits, labels, teacher, mask):
    """Return the same for start and end; padding is no place to choose."""
    from torch.nn import functional as f

    own, other = (z.masked_fill(~mask[..., None], -1e4).swapaxes(1, 2) for z in (logits, teacher))
    task = f.cross_entropy(own.flatten(0, 1), labels.flatten(), reduction="none")
    own, other = (f.log_softmax(z / TEMPERATURE, dim=-1) for z in (own, other))
    distance = f.kl_div(own, other, reduction="none", log_target=True).sum(-1).mean(-1)
    return task.reshape(labels.shape).mean(-1), TEMPERATURE**2 * distance


def _logits(model, batch):
    """Return the logits; those of start and end are the last axis."""
    import torch

    found = model(**batch)
    return torch.stack(found[:2], -1) if "start_logits" in found else found.logits


def _pair(z):
    import torch

    return torch.stack([z, -z], -1)


def _train(random, case) -> None:
    import torch
    from transformers import get_linear_schedule_with_warmup

    token_ids, _ = torch_run.make_batches(random)
    data = _data(random, case, token_ids)
    kernel = random.normal(scale=0.02, size=(16, OUTPUTS[case])).astype("float32")
    model, head = torch_run.build_model(f"{case}.npz", OUTPUTS[case], None)
    with torch.no_grad():
        head.weight.copy_(torch.tensor(kernel.T))
        head.bias.zero_()
    optimizer = torch.optim.AdamW(torch_run.parameter_groups(model.train()), lr=torch_run.RATE)
    schedule = get_linear_schedule_with_warmup(optimizer, torch_run.WARMUP, STEPS)
    losses, norms = [], []
    for step in range(STEPS):
        labels, labelled, teacher, taught = (torch.tensor(array[step]) for array in data)
        batch = torch_run.as_tensors(token_ids[step], data[0][step])
        logits = _logits(model, batch)
        if "token" in case:
            logits, teacher = logits.flatten(0, 1), teacher.flatten(0, 1)
            labels, labelled, taught = labels.flatten(), labelled.flatten(), taught.flatten()
        if case == "question_answering":
            mask = torch.tensor(token_ids[step] != 0)
            task, distance = _span_losses(logits, labels, teacher, mask)
        else:
            task, distance = _losses(case, logits, labels, teacher)
        each = (1 - WEIGHT) * task * labelled + WEIGHT * distance * taught
        loss = each.sum() / (labelled | taught).sum()
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)))
        optimizer.step()
        schedule.step()
        losses.append(float(loss))
    assert max(norms) > CLIP
    logits = _logits(model.eval(), torch_run.as_tensors(token_ids[0], data[0][0]))
    trained = model.bert.encoder.layer[0].intermediate.dense.weight
    names = ("labels", "labelled", "teacher", "taught")
    np.savez_compressed(
        HERE / f"distillation_{case}.npz",
        token_ids=token_ids,
        **dict(zip(names, data, strict=True)),
        head_kernel=kernel,
        losses=np.array(losses, "float32"),
        logits=logits.detach().numpy(),
        intermediate_kernel=trained.detach().numpy().T,
    )


def main() -> None:
    for number, case in enumerate(OUTPUTS):
        _train(np.random.default_rng(20 + number), case)


if __name__ == "__main__":
    main()
