"""Write captum.npz: integrated gradients of PyTorch's BERT by captum.

    python make_captum.py

It needs torch, transformers and captum, which the tests do not need, so it imports them late. The
encoder is tests/encoders/fixtures/gelu; the classifier's weights are in the file.
"""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
ENCODER = HERE.parent / "encoders" / "fixtures" / "gelu"
PAD, SPECIAL, STEPS = 0, (2, 3), 24


def main() -> None:
    """Compute the attributions of two texts of different lengths, and write the file."""
    import torch
    from captum.attr import IntegratedGradients
    from transformers import BertModel

    encoder = BertModel.from_pretrained(ENCODER, attn_implementation="eager").eval()
    rng = np.random.default_rng(0)
    hidden = encoder.config.hidden_size
    kernel, bias = rng.normal(size=(hidden, 3)), rng.normal(size=3)
    ids = rng.integers(5, encoder.config.vocab_size, size=(2, 12))
    ids[:, 0], ids[0, -1], ids[1, 7], ids[1, 8:] = 2, 3, 3, PAD
    mask = torch.tensor(ids != PAD)
    special = np.isin(ids, (PAD, *SPECIAL))
    weight, shift = (torch.tensor(x, dtype=torch.float32) for x in (kernel, bias))

    def logits(embeddings, mask):
        pooled = encoder(inputs_embeds=embeddings, attention_mask=mask.long()).pooler_output
        return pooled @ weight + shift

    def log_odds(embeddings, mask, chosen):
        p = torch.softmax(logits(embeddings, mask), dim=-1).gather(1, chosen[:, None])[:, 0]
        return torch.log(p / (1 - p))

    table = encoder.embeddings.word_embeddings
    own = table(torch.tensor(ids)).detach()
    baseline = table(torch.tensor(np.where(special, ids, PAD))).detach()
    chosen = logits(own, mask).argmax(dim=-1)
    found, delta = IntegratedGradients(log_odds).attribute(
        own,
        baselines=baseline,
        additional_forward_args=(mask, chosen),
        n_steps=STEPS,
        method="gausslegendre",
        return_convergence_delta=True,
    )
    np.savez_compressed(
        HERE / "captum.npz",
        kernel=kernel.astype(np.float32),
        bias=bias.astype(np.float32),
        token_ids=ids.astype(np.int32),
        chosen=chosen.numpy(),
        attributions=found.sum(dim=-1).detach().numpy(),
        gap=-delta.detach().numpy(),
    )


if __name__ == "__main__":
    main()
