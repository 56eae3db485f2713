"""Write captum.npz and its kin: integrated gradients of PyTorch's BERT by captum.

`captum.npz` explains the class of a text, `captum_labels.npz` one of several labels, and
`captum_spans.npz` the span of an answer: log p_start(i) + log p_end(j).

    python make_captum.py

It needs torch, transformers and captum, which the tests do not need, so it imports them late. The
encoder is tests/encoders/fixtures/gelu; the head's weights are in the files, and the first two
columns are those of the head for spans.
"""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
ENCODER = HERE.parent / "encoders" / "fixtures" / "gelu"
PAD, SPECIAL, STEPS = 0, (2, 3), 24


def main() -> None:
    """Compute the attributions of two texts of different lengths, and write the files."""
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

    def logits(embeddings, mask, state):
        states = encoder(inputs_embeds=embeddings, attention_mask=mask.long())[state]
        outputs = kernel.shape[1] if state == "pooler_output" else 2
        weight, shift = torch.tensor(kernel[:, :outputs]), torch.tensor(bias[:outputs])
        return states @ weight.float() + shift.float()

    def log_odds(embeddings, mask, chosen):
        scores = logits(embeddings, mask, "pooler_output")
        p = torch.softmax(scores, dim=-1).gather(1, chosen[:, None])[:, 0]
        return torch.log(p / (1 - p))

    def label(embeddings, mask, chosen):
        scores = logits(embeddings, mask, "pooler_output")
        return scores.gather(1, chosen[:, None])[:, 0]

    def span(embeddings, mask, chosen):
        scores = logits(embeddings, mask, "last_hidden_state")
        log_p = torch.log_softmax(scores.masked_fill(~mask[..., None], -1e4), dim=1)
        rows, length = torch.arange(len(log_p)), log_p.shape[1]
        return log_p[rows, chosen // length, 0] + log_p[rows, chosen % length, 1]

    table = encoder.embeddings.word_embeddings
    own = table(torch.tensor(ids)).detach()
    baseline = table(torch.tensor(np.where(special, ids, PAD))).detach()
    classes = logits(own, mask, "pooler_output").argmax(dim=-1)
    spans = torch.tensor([3 * ids.shape[1] + 5, 0])  # from token 3 to 5, and no answer
    for name, evidence, chosen in (
        ("captum", log_odds, classes),
        ("captum_labels", label, torch.tensor([2, 0])),
        ("captum_spans", span, spans),
    ):
        found, delta = IntegratedGradients(evidence).attribute(
            own,
            baselines=baseline,
            additional_forward_args=(mask, chosen),
            n_steps=STEPS,
            method="gausslegendre",
            return_convergence_delta=True,
        )
        np.savez_compressed(
            HERE / f"{name}.npz",
            kernel=kernel.astype(np.float32),
            bias=bias.astype(np.float32),
            token_ids=ids.astype(np.int32),
            chosen=chosen.numpy(),
            attributions=found.sum(dim=-1).detach().numpy(),
            gap=-delta.detach().numpy(),
        )


if __name__ == "__main__":
    main()
