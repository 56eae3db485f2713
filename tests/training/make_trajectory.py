"""Fine-tune a small model with PyTorch and transformers, as the reference for ours.

    python tests/training/make_trajectory.py

It needs torch and transformers, and writes trajectory.npz (three classes),
trajectory_regression.npz (two numbers), trajectory_multi_label.npz (four labels),
trajectory_question_answering.npz (start and end), trajectory_multiple_choice.npz (two questions
with four options a batch), trajectory_similarity.npz and trajectory_positive_pairs.npz (four pairs
of texts a batch, by BertModel and the formulas below), and trajectory_token_classification.npz
(tags of a part of the tokens) beside itself: the batches, the head's initial kernel, the loss of
each step, and the final logits and one final kernel. Dropout is off.
Warm-up, linear decay, a clip that takes effect and a large weight decay are on. It starts from the
encoder's fixture.
"""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
CHECKPOINT = HERE.parent / "encoders" / "fixtures" / "gelu"
STEPS, WARMUP, BATCH, LENGTH, CLASSES, NUMBERS, LABELS = 20, 4, 8, 12, 3, 2, 4
OPTIONS = 4  # rows of a question
QUESTION = 4  # tokens of a question, with the special ones
TAGS = 5
NO_TAG = -100  # of tokens that PyTorch's loss ignores
RATE, DECAY = 1e-3, 0.1
SCALE = 20.0  # of cosines, in the loss of positive pairs
OFF = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
# Below the gradient's norm in some step; that of several labels or options is smaller.
CLIP, CLIP_OF_LABELS = 1.0, 0.3


def make_batches(random):
    """Return token ids [steps, batch, length] of texts of random lengths, and classes."""
    token_ids = random.integers(1, 60, size=(STEPS, BATCH, LENGTH))
    lengths = random.integers(3, LENGTH + 1, size=(STEPS, BATCH, 1))
    token_ids[np.arange(LENGTH) >= lengths] = 0
    return token_ids.astype("int32"), random.integers(CLASSES, size=(STEPS, BATCH))


def parameter_groups(model):
    """Return the parameters that decay, and those that do not."""
    spared = [n for n, _ in model.named_parameters() if "bias" in n or "LayerNorm" in n]
    named = list(model.named_parameters())
    return [
        {"params": [p for n, p in named if n not in spared], "weight_decay": DECAY},
        {"params": [p for n, p in named if n in spared], "weight_decay": 0.0},
    ]


def main() -> None:
    random = np.random.default_rng(7)
    token_ids, labels = make_batches(random)
    _train(random, token_ids, labels, CLASSES, "trajectory.npz")
    random = np.random.default_rng(8)
    token_ids, _ = make_batches(random)
    numbers = random.normal(size=(STEPS, BATCH, NUMBERS)).astype("float32")
    _train(random, token_ids, numbers, NUMBERS, "trajectory_regression.npz", "regression")
    random = np.random.default_rng(9)
    token_ids, _ = make_batches(random)
    several = random.integers(2, size=(STEPS, BATCH, LABELS)).astype("float32")
    kind = "multi_label_classification"
    file = "trajectory_multi_label.npz"
    _train(random, token_ids, several, LABELS, file, kind, clip=CLIP_OF_LABELS)
    random = np.random.default_rng(10)
    # PyTorch's softmax includes padding, so there is none.
    token_ids = random.integers(1, 60, size=(STEPS, BATCH, LENGTH)).astype("int32")
    spans = np.sort(random.integers(QUESTION, LENGTH, size=(STEPS, BATCH, 2)), axis=-1)
    spans[:, 0] = 0  # no answer
    _train(random, token_ids, spans, 2, "trajectory_question_answering.npz")
    random = np.random.default_rng(11)
    token_ids, _ = make_batches(random)
    answers = random.integers(OPTIONS, size=(STEPS, BATCH // OPTIONS))
    file = "trajectory_multiple_choice.npz"
    _train(random, token_ids, answers, 1, file, clip=CLIP_OF_LABELS)
    random = np.random.default_rng(12)
    token_ids, _ = make_batches(random)
    scores = random.uniform(size=(STEPS, BATCH // 2)).astype("float32")
    _train(random, token_ids, scores, 1, "trajectory_similarity.npz", clip=CLIP_OF_LABELS)
    token_ids, _ = make_batches(random)
    _train(random, token_ids, np.ones_like(scores, int), 1, "trajectory_positive_pairs.npz")
    random = np.random.default_rng(13)
    token_ids, _ = make_batches(random)
    has_tag = (random.random(token_ids.shape) < 0.6) & (token_ids != 0)
    tags = np.where(has_tag, random.integers(TAGS, size=token_ids.shape), NO_TAG)
    _train(random, token_ids, tags, TAGS, "trajectory_token_classification.npz")


def _embedding_model():
    """Return BertModel with the losses of sentence-transformers, written as formulas."""
    import torch
    import transformers

    class Embedding(torch.nn.Module):
        """The vectors of pairs of texts, [pairs, 2 * hidden], and their loss."""

        def __init__(self):
            super().__init__()
            self.bert = transformers.BertModel.from_pretrained(CHECKPOINT, **OFF)

        def forward(self, input_ids, attention_mask, labels=None):
            ids, mask = input_ids.flatten(0, 1), attention_mask.flatten(0, 1)
            states = self.bert(ids, attention_mask=mask).last_hidden_state
            means = (states * mask[..., None]).sum(1) / mask[..., None].sum(1)
            vectors = torch.nn.functional.normalize(means, dim=-1)
            first, second = vectors[0::2], vectors[1::2]
            loss = None
            if labels is not None and labels.is_floating_point():
                loss = torch.nn.functional.mse_loss((first * second).sum(-1), labels)
            elif labels is not None:
                scores = SCALE * first @ second.T
                loss = torch.nn.functional.cross_entropy(scores, torch.arange(len(labels)))
            outputs = torch.cat([first, second], -1)
            return transformers.modeling_outputs.SequenceClassifierOutput(loss, outputs)

    return Embedding()


def build_model(file, outputs, problem_type):
    """Return a model with the fixture's encoder, and its head."""
    import transformers

    if "similarity" in file or "pairs" in file:
        return _embedding_model(), None
    if "question" in file:
        found = transformers.BertForQuestionAnswering.from_pretrained(CHECKPOINT, **OFF)
        return found, found.qa_outputs
    if "choice" in file:
        found = transformers.BertForMultipleChoice.from_pretrained(CHECKPOINT, **OFF)
        return found, found.classifier
    if "token" in file:
        found = transformers.BertForTokenClassification.from_pretrained(
            CHECKPOINT, num_labels=outputs, **OFF
        )
        return found, found.classifier
    found = transformers.BertForSequenceClassification.from_pretrained(
        CHECKPOINT, num_labels=outputs, problem_type=problem_type, **OFF
    )
    return found, found.classifier


def is_span(targets):
    """Return whether the targets of a batch are starts and ends."""
    return targets.shape[1:] == (2,) and targets.dtype.kind == "i"


def segment_ids(token_ids):
    """Return the segments of questions with contexts."""
    return np.broadcast_to(np.arange(LENGTH) >= QUESTION, token_ids.shape).astype("int32")


def as_tensors(token_ids, targets):
    """Return the inputs of a model of transformers."""
    import torch

    ids = torch.tensor(token_ids.astype("int64"))
    if len(targets) < len(token_ids):
        ids = ids.reshape(len(targets), -1, LENGTH)
        return {"input_ids": ids, "attention_mask": (ids != 0).long()}
    segments = segment_ids(token_ids) if is_span(targets) else np.zeros_like(token_ids)
    return {
        "input_ids": ids,
        "attention_mask": (ids != 0).long(),
        "token_type_ids": torch.tensor(segments.astype("int64")),
    }


def _answers(targets):
    import torch

    targets = torch.tensor(targets)
    if is_span(targets.numpy()):
        return {"start_positions": targets[:, 0], "end_positions": targets[:, 1]}
    return {"labels": targets}


def _train(random, token_ids, labels, outputs, file, problem_type=None, clip=CLIP) -> None:
    import torch
    from transformers import get_linear_schedule_with_warmup

    kernel = random.normal(scale=0.02, size=(16, outputs)).astype("float32")
    model, head = build_model(file, outputs, problem_type)
    if head is not None:
        with torch.no_grad():
            head.weight.copy_(torch.tensor(kernel.T))
            head.bias.zero_()
    optimizer = torch.optim.AdamW(parameter_groups(model.train()), lr=RATE)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    losses, norms = [], []
    for ids, targets in zip(token_ids, labels, strict=True):
        loss = model(**as_tensors(ids, targets), **_answers(targets)).loss
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), clip)))
        optimizer.step()
        schedule.step()
        losses.append(float(loss))
    assert max(norms) > clip
    found = model.eval()(**as_tensors(token_ids[0], labels[0]))
    logits = found[0] if "question" not in file else torch.stack(found[:2], -1)
    trained = model.bert.encoder.layer[0].intermediate.dense.weight
    np.savez_compressed(
        HERE / file,
        token_ids=token_ids,
        labels=labels,
        head_kernel=kernel,
        losses=np.array(losses, "float32"),
        logits=logits.detach().numpy(),
        intermediate_kernel=trained.detach().numpy().T,
    )


if __name__ == "__main__":
    main()
