"""Train BertForMaskedLM with PyTorch, and run the heads of all families, as references for ours.

    python tests/training/make_masked_lm.py

It needs torch and transformers. It writes masked_lm.npz beside itself: 20 batches with their
masks, the tensors of the head at the start, the loss of each step, and logits and the token
embedding at the end. Dropout is off; warm-up, linear decay, a clip that takes effect and a large
weight decay are on, as in make_trajectory.py. And masked_lm_heads.npz: for each family, the
tensors of a random head on the encoder's fixture, token ids, and logits at all of them.
"""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parent / "encoders" / "fixtures"
CHECKPOINT = FIXTURES / "gelu"
STEPS, WARMUP, BATCH, LENGTH, SLOTS, MASK = 20, 4, 8, 12, 20, 59
RATE, DECAY, CLIP = 1e-3, 0.1, 0.3
OFF = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
NOT_PREDICTED = -100
# The classes of transformers, by the fixture of each family.
CLASSES = {
    "albert": "AlbertForMaskedLM",
    "camembert": "CamembertForMaskedLM",
    "deberta_v2": "DebertaV2ForMaskedLM",
    "distilbert": "DistilBertForMaskedLM",
    "electra": "ElectraForMaskedLM",
    "gelu": "BertForMaskedLM",
    "modernbert": "ModernBertForMaskedLM",
    "mpnet": "MPNetForMaskedLM",
    "roberta": "RobertaForMaskedLM",
    "xlm_roberta": "XLMRobertaForMaskedLM",
}


def batches(random):
    """Return token ids before masking, [steps, batch, length], places and how many are used."""
    token_ids = random.integers(1, MASK, size=(STEPS, BATCH, LENGTH))
    lengths = random.integers(3, LENGTH + 1, size=(STEPS, BATCH, 1))
    token_ids[np.arange(LENGTH) >= lengths] = 0
    places = np.zeros((STEPS, SLOTS), "int32")
    counts = random.integers(5, SLOTS, size=STEPS)
    for step, count in enumerate(counts):
        tokens = np.flatnonzero(token_ids[step].ravel())
        places[step, :count] = np.sort(random.choice(tokens, count, replace=False))
    return token_ids.astype("int32"), places, counts


def random_head(model, random):
    """Give the head of a model, which is on its encoder, random weights; return them by name."""
    import torch

    prefix, table = f"{model.base_model_prefix}.", model.get_input_embeddings().weight
    own = {n: p for n, p in model.named_parameters() if p is not table and not n.startswith(prefix)}
    with torch.no_grad():
        for name, parameter in own.items():
            spread = 0.3 if parameter.ndim == 2 else 0.1
            start = 1.0 if "orm" in name and name.endswith("weight") else 0.0
            sampled = start + spread * random.normal(size=tuple(parameter.shape))
            parameter.copy_(torch.tensor(sampled))
    return {name: parameter.detach().numpy().copy() for name, parameter in own.items()}


def trajectory() -> None:
    """Write masked_lm.npz."""
    import torch
    import transformers

    random = np.random.default_rng(3)
    token_ids, places, counts = batches(random)
    model = transformers.BertForMaskedLM.from_pretrained(CHECKPOINT, **OFF)
    head = random_head(model, random)
    named = list(model.named_parameters())
    spared = [n for n, _ in named if "bias" in n or "LayerNorm" in n]
    groups = [
        {"params": [p for n, p in named if n not in spared], "weight_decay": DECAY},
        {"params": [p for n, p in named if n in spared], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=RATE)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    losses, norms = [], []
    for ids, slots, count in zip(token_ids, places, counts, strict=True):
        used = slots[:count]
        masked, labels = ids.astype("int64").ravel(), np.full(ids.size, NOT_PREDICTED)
        labels[used], masked[used] = masked[used], MASK
        mask = torch.tensor((ids != 0).astype("int64"))
        tensors = (torch.tensor(a.reshape(ids.shape)) for a in (masked, labels))
        loss = model(input_ids=next(tensors), labels=next(tensors), attention_mask=mask).loss
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)))
        optimizer.step()
        schedule.step()
        losses.append(float(loss))
    assert max(norms) > CLIP
    first = torch.tensor(token_ids[0].astype("int64"))
    logits = model.eval()(input_ids=first, attention_mask=(first != 0).long()).logits
    np.savez_compressed(
        HERE / "masked_lm.npz",
        token_ids=token_ids,
        places=places,
        counts=counts,
        losses=np.array(losses, "float32"),
        logits=logits.detach().numpy().reshape(-1, logits.shape[-1])[places[0]],
        embedding=model.get_input_embeddings().weight.detach().numpy(),
        **head,
    )


def heads() -> None:
    """Write masked_lm_heads.npz."""
    import torch
    import transformers

    random = np.random.default_rng(4)
    arrays = {"token_ids": random.integers(3, 60, size=(2, 6)).astype("int32")}
    ids = torch.tensor(arrays["token_ids"].astype("int64"))
    for family, name in CLASSES.items():
        model = getattr(transformers, name).from_pretrained(FIXTURES / family).eval()
        found = random_head(model, random)
        arrays |= {f"{family}/{tensor}": value for tensor, value in found.items()}
        logits = model(input_ids=ids).logits
        arrays[f"{family}/logits"] = logits.detach().numpy().reshape(ids.numel(), -1)
    np.savez_compressed(HERE / "masked_lm_heads.npz", **arrays)


if __name__ == "__main__":
    trajectory()
    heads()
