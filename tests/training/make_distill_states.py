"""Match a teacher's states with PyTorch and transformers, as the reference for ours.

    python -m tests.training.make_distill_states

It needs torch and transformers, and runs from the repository's root. It writes
distill_states_hidden.npz and distill_states_attention.npz beside itself: the batches of
make_trajectory.py, the teacher's tensors (twice the fixture's layers, random weights), the head's
initial kernel, the loss of each step, and the final logits and one final kernel. The states and
probabilities are those that transformers returns; the values are those of the layer's projection.
"""

import numpy as np

from tests.training import make_trajectory as torch_run
from tests.training.make_trajectory import CHECKPOINT, CLASSES, CLIP, HERE, OFF, STEPS

WEIGHT = 0.5
SPREAD = 0.3  # of the teacher's weights, so that its attention is not even
MATCHES = ("hidden", "attention")


def _teacher(layers):
    import torch
    import transformers

    config = transformers.BertConfig.from_pretrained(CHECKPOINT, **OFF)
    config.num_hidden_layers, config._attn_implementation = layers, "eager"
    torch.manual_seed(3)
    model = transformers.BertModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=SPREAD)
    return model.eval()


def _observed(model, inputs):
    """Return the hidden states, the last attention probabilities, and the last values."""
    found = []
    projection = model.encoder.layer[-1].attention.self.value
    handle = projection.register_forward_hook(lambda _, __, values: found.append(values))
    outputs = model(**inputs, output_hidden_states=True, output_attentions=True)
    handle.remove()
    return outputs.hidden_states, outputs.attentions[-1], found[0]


def _relations(values, heads, mask):
    import torch

    batch, length, width = values.shape
    each = values.view(batch, length, heads, width // heads).transpose(1, 2)
    scores = each @ each.transpose(-1, -2) / (width // heads) ** 0.5
    return torch.log_softmax(scores.masked_fill(~mask[:, None, None], -1e9), -1)


def _distance(match, student, teacher, inputs, heads):
    import torch

    mask = inputs["attention_mask"].bool()
    own = _observed(student, inputs)
    with torch.no_grad():
        other = _observed(teacher, inputs)
    if match == "hidden":
        pairs = zip(own[0], other[0][::2], strict=True)
        each = torch.stack([((x - y) ** 2).mean(-1) for x, y in pairs]).mean(0)
    else:
        logs = [
            (torch.log(attention.clamp_min(1e-12)), _relations(values, heads, mask))
            for _, attention, values in (own, other)
        ]
        each = sum(
            torch.nn.functional.kl_div(p, q, reduction="none", log_target=True).sum(-1).mean(1)
            for p, q in zip(*logs, strict=True)
        )
    return ((each * mask).sum(1) / mask.sum(1)).mean()


def _train(match) -> None:
    import torch
    from transformers import get_linear_schedule_with_warmup

    random = np.random.default_rng(30 + len(match))
    token_ids, labels = torch_run.make_batches(random)
    model, head = torch_run.build_model("classification.npz", CLASSES, None)
    model.bert.config._attn_implementation = "eager"
    layers, heads = model.config.num_hidden_layers, model.config.num_attention_heads
    teacher = _teacher(2 * layers)
    kernel = random.normal(scale=0.02, size=(model.config.hidden_size, CLASSES)).astype("float32")
    with torch.no_grad():
        head.weight.copy_(torch.tensor(kernel.T))
        head.bias.zero_()
    optimizer = torch.optim.AdamW(torch_run.parameter_groups(model.train()), lr=torch_run.RATE)
    schedule = get_linear_schedule_with_warmup(optimizer, torch_run.WARMUP, STEPS)
    losses, norms = [], []
    for step in range(STEPS):
        inputs = torch_run.as_tensors(token_ids[step], labels[step])
        task = torch.nn.functional.cross_entropy(model(**inputs).logits, torch.tensor(labels[step]))
        loss = task + WEIGHT * _distance(match, model.bert, teacher, inputs, heads)
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)))
        optimizer.step()
        schedule.step()
        losses.append(float(loss))
    assert max(norms) > CLIP
    logits = model.eval()(**torch_run.as_tensors(token_ids[0], labels[0])).logits
    trained = model.bert.encoder.layer[0].intermediate.dense.weight
    tensors = {f"teacher.{n}": t.numpy() for n, t in teacher.state_dict().items()}
    np.savez_compressed(
        HERE / f"distill_states_{match}.npz",
        token_ids=token_ids,
        labels=labels,
        head_kernel=kernel,
        losses=np.array(losses, "float32"),
        logits=logits.detach().numpy(),
        intermediate_kernel=trained.detach().numpy().T,
        **tensors,
    )


def main() -> None:
    for match in MATCHES:
        _train(match)


if __name__ == "__main__":
    main()
