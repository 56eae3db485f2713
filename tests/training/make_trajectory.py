"""Fine-tune a small model with PyTorch and transformers, as the reference for ours.

    python tests/training/make_trajectory.py

It needs torch and transformers, and writes trajectory.npz (three classes),
trajectory_regression.npz (two numbers) and trajectory_multi_label.npz (four labels) beside itself:
the batches, the head's initial kernel, the loss of each step, and the final logits and one final
kernel. Dropout is off.
Warm-up, linear decay, a clip that takes effect and a large weight decay are on. It starts from the
encoder's fixture.
"""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
CHECKPOINT = HERE.parent / "encoders" / "fixtures" / "gelu"
STEPS, WARMUP, BATCH, LENGTH, CLASSES, NUMBERS, LABELS = 20, 4, 8, 12, 3, 2, 4
RATE, DECAY = 1e-3, 0.1
# Below the gradient's norm in some step; that of several labels' mean loss is smaller.
CLIP, CLIP_OF_LABELS = 1.0, 0.3


def _batches(random):
    token_ids = random.integers(1, 60, size=(STEPS, BATCH, LENGTH))
    lengths = random.integers(3, LENGTH + 1, size=(STEPS, BATCH, 1))
    token_ids[np.arange(LENGTH) >= lengths] = 0
    return token_ids.astype("int32"), random.integers(CLASSES, size=(STEPS, BATCH))


def _groups(model):
    spared = [n for n, _ in model.named_parameters() if "bias" in n or "LayerNorm" in n]
    named = list(model.named_parameters())
    return [
        {"params": [p for n, p in named if n not in spared], "weight_decay": DECAY},
        {"params": [p for n, p in named if n in spared], "weight_decay": 0.0},
    ]


def main() -> None:
    random = np.random.default_rng(7)
    token_ids, labels = _batches(random)
    _train(random, token_ids, labels, CLASSES, "trajectory.npz")
    random = np.random.default_rng(8)
    token_ids, _ = _batches(random)
    numbers = random.normal(size=(STEPS, BATCH, NUMBERS)).astype("float32")
    _train(random, token_ids, numbers, NUMBERS, "trajectory_regression.npz", "regression")
    random = np.random.default_rng(9)
    token_ids, _ = _batches(random)
    several = random.integers(2, size=(STEPS, BATCH, LABELS)).astype("float32")
    kind = "multi_label_classification"
    file = "trajectory_multi_label.npz"
    _train(random, token_ids, several, LABELS, file, kind, clip=CLIP_OF_LABELS)


def _train(random, token_ids, labels, outputs, file, problem_type=None, clip=CLIP) -> None:
    import torch
    from transformers import BertForSequenceClassification, get_linear_schedule_with_warmup

    kernel = random.normal(scale=0.02, size=(16, outputs)).astype("float32")
    off = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = BertForSequenceClassification.from_pretrained(
        CHECKPOINT, num_labels=outputs, problem_type=problem_type, **off
    )
    with torch.no_grad():
        model.classifier.weight.copy_(torch.tensor(kernel.T))
        model.classifier.bias.zero_()
    optimizer = torch.optim.AdamW(_groups(model.train()), lr=RATE)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    losses, norms = [], []
    for ids, targets in zip(token_ids, labels, strict=True):
        ids = torch.tensor(ids.astype("int64"))
        loss = model(ids, attention_mask=(ids != 0).long(), labels=torch.tensor(targets)).loss
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), clip)))
        optimizer.step()
        schedule.step()
        losses.append(float(loss))
    assert max(norms) > clip
    ids = torch.tensor(token_ids[0].astype("int64"))
    logits = model.eval()(ids, attention_mask=(ids != 0).long()).logits
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
