"""GPT-2, where it differs from others: the last token, the bias of an export, and refusals."""

import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from ftkeras.checkpoints import huggingface
from ftkeras.config.run import Config
from ftkeras.encoders import load_weights
from ftkeras.encoders.gpt2 import Gpt2
from ftkeras.errors import UserError
from ftkeras.experiment import build, classifier
from ftkeras.exporters import _read_back
from ftkeras.exporters.huggingface import Huggingface
from ftkeras.heads.classification import Classification
from ftkeras.problems.classification import Classification as Problem
from ftkeras.text.truncations.head import Head
from ftkeras.training.finetuner import FineTuner
from tests import questions
from tests.encoders.golden import FIXTURES, golden
from tests.exporters import small

FOLDER = FIXTURES / "gpt2"
IDS = np.array([[5, 6, 7, 0, 0], [8, 9, 10, 11, 12]])


def fixture(pooling="pooled"):
    """Return a classifier with the fixture's encoder and random weights in the head."""
    encoder = Gpt2(**Gpt2.settings(huggingface.read_config(FOLDER)), initial="zeros")
    load_weights(encoder, FOLDER)
    model = FineTuner(encoder=encoder, head=Classification(classes=3, pooling=pooling), pad_id=0)
    random = np.random.default_rng(1)
    model.head.kernel.assign(random.normal(size=(16, 3)))
    model.head.bias.assign(random.normal(size=3))
    return model


def test_last_token_is_read_wherever_padding_is():
    encoder = fixture().encoder
    mask = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0]])
    states = encoder(IDS, mask)
    for every_token in (True, False):
        found = encoder(IDS, mask, every_token=every_token)["pooled"]
        for row, place in ((0, 2), (1, 3)):
            np.testing.assert_allclose(found[row], states["sequence"][row, place], atol=1e-5)


def test_packed_rows_with_padding_give_the_last_token_of_each_text():
    encoder, texts = fixture().encoder, [[5, 6, 7], [8, 9], [10, 11, 12, 13]]
    rows = np.array([[*texts[0], *texts[1], 0, 0], [*texts[2], 0, 0, 0]])
    starts = np.array([[0, 3], [0, 7]])  # the second row has one text
    for every_token in (True, False):
        found = encoder(rows, rows != 0, starts=starts, every_token=every_token)["pooled"]
        for number, text in enumerate(texts):
            alone = encoder(np.array([text]))["pooled"][0]
            np.testing.assert_allclose(found[number], alone, rtol=0, atol=1e-5)


def test_no_token_sees_what_follows():
    encoder, changed = fixture().encoder, IDS.copy()
    changed[:, 3:] = 20
    before, after = (np.array(encoder(ids)["sequence"]) for ids in (IDS, changed))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert (before[:, 3:] != after[:, 3:]).any(axis=-1).all()


def test_cls_pooling_reads_the_last_token_too():
    np.testing.assert_array_equal(
        *(np.array(fixture(pooling)({"token_ids": IDS})) for pooling in ("pooled", "cls"))
    )


def export(model, folder, problem=small.PROBLEM):
    """Write the classifier in Hugging Face's format, without a tokenizer's files."""
    tokenizer = SimpleNamespace(save=lambda *args, **kwargs: None)
    layer = {"max_length": 12, "tokenizer": tokenizer, "truncation": Head(), "redaction": None}
    exporter = Huggingface(
        model=model,
        text_layer=SimpleNamespace(**layer),
        problem=problem,
        pairs=False,
        plain=True,
        run_dir=folder,
        card=small.Card(),
    )
    exporter.save(folder)
    return folder


def test_bias_of_the_head_is_part_of_an_export(tmp_path):
    model = fixture()
    folder = export(model, tmp_path)
    assert "score.bias" not in huggingface.read_tensors(folder)
    assert huggingface.read_config(folder)["pad_token_id"] == 0
    again = fixture()
    load_weights(again.encoder, folder)
    again.head.kernel.assign(huggingface.read_tensors(folder)["score.weight"].T)
    again.head.bias.assign(np.zeros(3))
    wanted = model({"token_ids": IDS})
    read = _read_back.read(folder, model, "sequence_classification")
    np.testing.assert_allclose(read({"token_ids": IDS}), wanted, rtol=0, atol=1e-5)
    np.testing.assert_allclose(again({"token_ids": IDS}), wanted, rtol=0, atol=1e-5)
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch", reason="transformers runs models in PyTorch only")
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    given = {"input_ids": torch.tensor(IDS), "attention_mask": torch.tensor((IDS != 0) * 1)}
    with torch.no_grad():
        np.testing.assert_allclose(theirs(**given).logits, wanted, rtol=0, atol=1e-5)


def test_bias_that_the_kernel_cannot_express_is_refused(tmp_path):
    model = fixture()
    model.head.kernel.assign(np.ones((16, 3)))
    with pytest.raises(UserError, match=r"has no bias.*huggingface\(head=False\)"):
        export(model, tmp_path)


def test_export_without_a_class_is_refused(tmp_path):
    problem = SimpleNamespace(huggingface_class="multiple_choice")
    with pytest.raises(ValueError, match="has no GPT2ForMultipleChoice"):
        export(fixture(), tmp_path, problem)


def test_published_score_starts_the_head(tmp_path):
    folder = shutil.copytree(FOLDER, tmp_path / "tuned")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"0": "bad", "1": "fine", "2": "good"}
    (folder / "config.json").write_text(json.dumps(config))
    model = fixture()
    model.head.bias.assign(np.zeros(3))
    settings = Config(task="imdb", encoder=str(folder), head="checkpoint")
    classifier.start_head(settings, model, Problem(labels=["bad", "fine", "good"]), folder)
    wanted = golden("gpt2")["plain_7"]
    found = model({"token_ids": wanted["token_ids"]})
    np.testing.assert_allclose(found, wanted["logits"], rtol=0, atol=1e-5)


def test_older_files_with_causal_masks_and_a_language_model_are_read():
    tensors = dict(huggingface.read_tensors(FOLDER))
    mask = {f"transformer.h.{n}.attn.bias": np.ones((1, 1, 24, 24)) for n in range(3)}
    mask["transformer.h.0.attn.masked_bias"] = np.array(-1e4)
    mask["lm_head.weight"] = tensors["transformer.wte.weight"]
    encoder = fixture().encoder
    assert encoder.load({**tensors, **mask}) == []
    plain = {re.sub("^transformer.", "", name): value for name, value in tensors.items()}
    assert encoder.load({n: value for n, value in plain.items() if n != "score.weight"}) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale_attn_by_inverse_layer_idx": True}, "must be False. Received: True"),
        ({"scale_attn_weights": False}, "`scale_attn_weights` must be True"),
        ({"embd_pdrop": 0.5}, "`embd_pdrop` must be resid_pdrop=0.1. Received: 0.5"),
        ({"activation_function": "mish"}, "`activation_function` must be"),
    ],
)
def test_other_networks_are_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Gpt2.settings({"model_type": "gpt2", **changes})


def test_published_config_is_read():
    settings = Gpt2.settings({"model_type": "gpt2", "n_ctx": 1024, "n_inner": None})
    assert (settings["pad_id"], settings["positions"], settings["layers"]) == (50256, 1024, 12)


def test_encoder_of_another_pad_token_is_exported_with_it(tmp_path):
    model = fixture()
    model.pad_id = 3
    assert huggingface.read_config(export(model, tmp_path))["pad_token_id"] == 3


def test_end_of_text_is_not_the_pad_token():
    sizes = {"layers": 1, "hidden": 2, "heads": 1, "initial": "zeros"}
    config = Gpt2(vocabulary_size=50258, pad_id=50257, **sizes).huggingface_config()
    names = ("pad_token_id", "bos_token_id", "eos_token_id")
    assert [config[name] for name in names] == [50257, 50256, 50256]


def test_answers_that_need_both_sides_are_refused(tmp_path):
    questions.write_squad(tmp_path / "train.json", 30)
    tiny = "gpt2(vocabulary='reviews', layers=1, hidden=8, heads=2, positions=64)"
    config = Config(
        task=f"question_answering(train='{tmp_path}/train.json')",
        encoder=tiny,
        max_length=64,
        learning_rate=1e-3,
        epochs=1,
        loss="span_cross_entropy",
        objective="f1",
    )
    with pytest.raises(UserError, match=r"a question answer\w+ reads what follows a token too"):
        build.experiment(config)
