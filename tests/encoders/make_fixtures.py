"""Write the encoders' golden files with the reference, PyTorch's models from transformers.

    python make_fixtures.py [folder of all-MiniLM-L6-v2]
    python make_fixtures.py family ...

It needs torch and transformers, which the tests do not need, so it imports them late. Run it again
only to add a case, or with the names of new families. It writes a folder for each model under
fixtures/: config.json and model.safetensors from save_pretrained, and golden.npz with each case's
inputs, states and pooled output. The families beside BERT have a sequence classifier, and its
logits instead of a pooled output.
"""

import pathlib
import sys

import numpy as np

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
# All weights, norm scales too, are far from their usual start, so that a mix-up shows.
SPREAD = 0.2
MODELS = {
    "gelu": {
        "vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 40, "hidden_act": "gelu",
    },
    "gelu_new": {
        "vocab_size": 50, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 3,
        "intermediate_size": 96, "hidden_act": "gelu_new", "layer_norm_eps": 1e-5,
        "type_vocab_size": 3,
    },
}  # fmt: skip
SMALL = {
    "vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 40, "num_labels": 3,
}  # fmt: skip
ROBERTA = {
    **SMALL, "max_position_embeddings": 26, "type_vocab_size": 1, "layer_norm_eps": 1e-5,
}  # fmt: skip
DEBERTA = {
    **SMALL, "max_position_embeddings": 24, "relative_attention": True, "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
}  # fmt: skip
# Each family's class of transformers and settings; the longest texts have 24 tokens. What follows
# a "-" names a variant.
FAMILIES = {
    "distilbert": ("DistilBert", {
        "vocab_size": 60, "dim": 16, "n_layers": 2, "n_heads": 4, "hidden_dim": 40,
        "max_position_embeddings": 24, "num_labels": 3,
    }),
    "electra": ("Electra", {**SMALL, "embedding_size": 6, "max_position_embeddings": 24}),
    # Layers 0 and 3 have global attention; the others see 3 tokens on either side.
    "modernbert": ("ModernBert", {
        "vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 5, "num_attention_heads": 4,
        "intermediate_size": 24, "max_position_embeddings": 24, "local_attention": 6,
        "pad_token_id": 1, "bos_token_id": 0, "cls_token_id": 0, "eos_token_id": 2,
        "sep_token_id": 2, "num_labels": 3,
    }),
    "roberta": ("Roberta", ROBERTA),
    "xlm_roberta": ("XLMRoberta", ROBERTA),
    "camembert": ("Camembert", ROBERTA),
    "albert": ("Albert", {
        **SMALL, "embedding_size": 6, "max_position_embeddings": 24, "num_hidden_layers": 3,
        "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
    }),
    "gpt2": ("GPT2", {
        "vocab_size": 60, "n_embd": 16, "n_layer": 3, "n_head": 4, "n_inner": 40,
        "n_positions": 24, "pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0, "num_labels": 3,
    }),
    "mpnet": ("MPNet", {**SMALL, "max_position_embeddings": 26}),
    # Of the distances up to 23, those above 4 share buckets.
    "deberta_v2": ("DebertaV2", {
        **DEBERTA, "position_biased_input": False, "pos_att_type": "p2c|c2p", "position_buckets": 8,
    }),
    # Positions in the embeddings too, as in v2, segments, and a row for each distance up to 9.
    "deberta_v2-absolute": ("DebertaV2", {
        **DEBERTA, "pos_att_type": "p2c|c2p", "type_vocab_size": 2,
        "max_relative_positions": 10, "pooler_hidden_act": "tanh",
    }),
}  # fmt: skip
BATCH, LENGTHS = 2, (1, 7, 512)
# Long cases keep every ninth position; all of them would take megabytes.
STRIDE = {512: 9}
SENTENCES = ["Worth every minute of it.", "No."]


def random_model(name, settings, family="Bert", head="Model"):
    import torch
    import transformers

    config = getattr(transformers, f"{family}Config")(
        **settings, initializer_range=SPREAD, attn_implementation="eager"
    )
    torch.manual_seed(len(name))
    model = getattr(transformers, family + head)(config).eval()
    if family in ("ModernBert", "GPT2"):
        spread(model)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(SPREAD * torch.randn_like(parameter))
    return model


def spread(model):
    """Sample kernels like those of the other families, which initializer_range determines."""
    import torch

    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=SPREAD)


def inputs(config, length, kind, random):
    token_ids = random.integers(config.vocab_size, size=(BATCH, length))
    case = {"token_ids": token_ids}
    if "padded" in kind:
        lengths = np.array([length, max(1, length // 2)])
        case["padding_mask"] = (np.arange(length) < lengths[:, None]).astype("int32")
    if "segments" in kind:
        case["segment_ids"] = random.integers(config.type_vocab_size, size=(BATCH, length))
    return case


def golden(model, case, stride=1):
    import torch

    names = {"token_ids": "input_ids", "padding_mask": "attention_mask"}
    tensors = {
        names.get(name, "token_type_ids"): torch.tensor(np.asarray(value, dtype="int64"))
        for name, value in case.items()
    }
    with torch.no_grad():
        out = model(**tensors, output_hidden_states=True)
    states = np.stack([state.numpy() for state in out.hidden_states])
    return {
        **{name: np.asarray(value, dtype="int32") for name, value in case.items()},
        "states": states[:, :, ::stride],
        "pooled": out.pooler_output.numpy(),
    }


def family_golden(model, case):
    import torch

    mask = case.get("padding_mask", np.ones_like(case["token_ids"])).astype("int64")
    tensors = {
        "input_ids": torch.tensor(case["token_ids"]), "attention_mask": torch.tensor(mask)
    }  # fmt: skip
    if "segment_ids" in case:
        tensors["token_type_ids"] = torch.tensor(case["segment_ids"])
    with torch.no_grad():
        out = model(**tensors, output_hidden_states=True)
    states = np.stack([state.numpy() for state in out.hidden_states])
    inputs = {name: np.asarray(value, dtype="int32") for name, value in case.items()}
    return {**inputs, "states": states, "logits": out.logits.numpy()}


def make_families(names=()):
    for name, (family, settings) in FAMILIES.items():
        if names and name not in names:
            continue
        model = random_model(name, settings, family, "ForSequenceClassification")
        config, random, cases = model.config, np.random.default_rng(0), {}
        kinds = ["plain", "padded"]
        if getattr(config, "type_vocab_size", 0) > 1:
            kinds.append("padded_segments")
        for length in (1, 7, 24):
            for kind in kinds:
                case = inputs(config, length, kind, random)
                # RoBERTa finds its padding, and so the positions, by the token's id.
                mask = case.get("padding_mask", np.ones_like(case["token_ids"]))
                ids = np.maximum(case["token_ids"], config.pad_token_id + 1)
                case["token_ids"] = np.where(mask, ids, config.pad_token_id)
                cases[f"{kind}_{length}"] = family_golden(model, case)
        model.save_pretrained(FIXTURES / name)
        save(FIXTURES / name, cases)


def make_buckets():
    """Write the buckets of relative positions, of the published models' sizes."""
    import torch
    from transformers.models.deberta_v2 import modeling_deberta_v2 as deberta
    from transformers.models.mpnet import modeling_mpnet as mpnet

    distances = torch.arange(-600, 601)
    found = {
        # MPNet's distances are the key's position less the query's.
        "mpnet": mpnet.MPNetEncoder.relative_position_bucket(-distances),
        "deberta": deberta.make_log_bucket_position(distances, 256, 512),
    }
    arrays = {name: values.numpy().astype("int16") for name, values in found.items()}
    np.savez_compressed(FIXTURES / "buckets.npz", distances=distances.numpy(), **arrays)


def save(folder, cases):
    flat = {
        f"{case}/{name}": array for case, arrays in cases.items() for name, array in arrays.items()
    }
    np.savez_compressed(folder / "golden.npz", **flat)


def make_random():
    for name, settings in MODELS.items():
        model, random, cases = random_model(name, settings), np.random.default_rng(0), {}
        for length in LENGTHS:
            for kind in ("plain", "padded", "padded_segments"):
                case = inputs(model.config, length, kind, random)
                cases[f"{kind}_{length}"] = golden(model, case, STRIDE.get(length, 1))
        model.save_pretrained(FIXTURES / name)
        save(FIXTURES / name, cases)


def make_minilm(folder):
    from transformers import AutoTokenizer, BertModel

    model = BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    encoded = AutoTokenizer.from_pretrained(folder)(SENTENCES, padding=True, return_tensors="np")
    case = {"token_ids": encoded["input_ids"], "padding_mask": encoded["attention_mask"]}
    target = FIXTURES / "all-MiniLM-L6-v2"
    target.mkdir(parents=True, exist_ok=True)
    save(target, {"sentences": golden(model, case)})


if __name__ == "__main__":
    if FAMILIES.keys() & set(sys.argv):
        make_families(sys.argv[1:])
        sys.exit()
    make_random()
    make_families()
    make_buckets()
    if len(sys.argv) > 1:
        make_minilm(sys.argv[1])
