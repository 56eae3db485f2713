"""Train a small model privately with Opacus, without noise, as the reference for ours.

    python tests/privacy/make_opacus.py

It needs torch, transformers and opacus, and writes opacus.npz beside itself: the token ids and
classes of batches of different sizes, the head's initial kernel, the norms of the examples'
gradients, and the final logits and weights. Plain SGD; dropout is off. It starts from the encoder's
fixture.
"""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
CHECKPOINT = HERE.parent / "encoders" / "fixtures" / "gelu"
SIZES = (5, 8, 2, 6, 7, 1, 8, 4, 6, 5)  # examples of each step
EXPECTED, LONGEST, CLASSES = 6, 12, 3
RATE = 0.1
CLIP = 3.6  # some gradients are larger, some smaller
OFF = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def make_batches():
    """Return token ids [examples, length] of texts of random lengths, and classes."""
    random = np.random.default_rng(17)
    count = sum(SIZES)
    token_ids = random.integers(1, 60, size=(count, LONGEST))
    token_ids[np.arange(LONGEST) >= random.integers(3, LONGEST + 1, size=(count, 1))] = 0
    return token_ids.astype("int32"), random.integers(CLASSES, size=count)


def main() -> None:
    import torch
    import transformers
    from opacus import GradSampleModule
    from opacus.optimizers import DPOptimizer

    torch.manual_seed(3)
    model = transformers.BertForSequenceClassification.from_pretrained(
        CHECKPOINT, num_labels=CLASSES, **OFF
    )
    kernel = model.classifier.weight.detach().numpy().T.copy()
    torch.nn.init.zeros_(model.classifier.bias)
    model.train()
    private = GradSampleModule(model)
    optimizer = DPOptimizer(
        torch.optim.SGD(private.parameters(), lr=RATE),
        noise_multiplier=0.0,
        max_grad_norm=CLIP,
        expected_batch_size=EXPECTED,
    )
    token_ids, labels = make_batches()
    norms, start = [], 0
    for size in SIZES:
        batch = slice(start, start + size)
        start += size
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            _logits(private, token_ids[batch]), torch.tensor(labels[batch])
        )
        loss.backward()
        each = [p.grad_sample.flatten(1) for p in private.parameters() if p.requires_grad]
        norms += torch.cat(each, 1).norm(dim=1).tolist()
        optimizer.step()
    model.eval()
    query = model.bert.encoder.layer[0].attention.self.query.weight
    np.savez(
        HERE / "opacus.npz",
        token_ids=token_ids,
        labels=labels,
        kernel=kernel,
        norms=np.array(norms, "float32"),
        logits=_logits(model, token_ids).detach().numpy(),
        words=model.bert.embeddings.word_embeddings.weight.detach().numpy(),
        query=query.detach().numpy().T,
    )


def _logits(model, token_ids):
    import torch

    ids = torch.tensor(token_ids).long()
    # Opacus needs a row of positions for each example.
    positions = torch.arange(ids.shape[1]).expand(ids.shape)
    return model(
        input_ids=ids,
        attention_mask=(ids != 0).long(),
        token_type_ids=torch.zeros_like(ids),
        position_ids=positions,
    ).logits


if __name__ == "__main__":
    main()
