"""Encoder families except BERT: parity with the reference, checkpoints, packing and policies."""

import functools
import json
import re
import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from ftkeras import catalog
from ftkeras.checkpoints import huggingface
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import classifier, encoder_source
from ftkeras.exporters import _onnx_graph, _read_back
from ftkeras.exporters.huggingface import Huggingface
from ftkeras.heads.classification import Classification
from ftkeras.problems import classification as problem
from ftkeras.text.truncations.head import Head
from ftkeras.training.finetuner import FineTuner
from tests.encoders.golden import FIXTURES, golden
from tests.encoders.make_fixtures import FAMILIES
from tests.exporters import small
from tests.matrix import matrix

# Variants differ from their family in the network only.
NAMES = sorted(name for name in FAMILIES if "-" not in name)
CASES = [(name, case) for name in sorted(FAMILIES) for case in golden(name)]
# Networks that are no other family's; CamemBERT and XLM-RoBERTa are RoBERTa's.
DISTINCT = ["distilbert", "electra", "modernbert", "roberta"]
FEW_CASES = [
    (name, case)
    for name, case in CASES
    if case == "padded_24"
    or (name in [*DISTINCT, "gpt2"] and case in ("plain_1", "padded_segments_24"))
]
LABELS = ["bad", "fine", "good"]
SIZES = {"vocabulary_size": 30, "layers": 2, "hidden": 8, "heads": 2, "positions": 12}


def find(name):
    """Return the family's class."""
    return catalog.find("encoder", name.partition("-")[0])


def read(name, **changes):
    """Return the fixture's encoder."""
    cls, folder = find(name), FIXTURES / name
    settings = {**cls.settings(huggingface.read_config(folder)), **changes}
    encoder = cls(**settings, initial="zeros", seed=1)
    assert encoder.load(huggingface.read_tensors(folder)) == []
    return encoder


encoder_of = functools.cache(read)


def tuned(name, pooling="pooled"):
    """Return the fixture's sequence classifier."""
    encoder, tensors = read(name), huggingface.read_tensors(FIXTURES / name)
    head = Classification(classes=3, pooling=pooling)
    model = FineTuner(encoder=encoder, head=head, pad_id=encoder.pad_id)
    module = encoder.family.classifier
    head.kernel.assign(tensors[f"{module}.weight"].T)
    if f"{module}.bias" in tensors:
        head.bias.assign(tensors[f"{module}.bias"])
    return model


tuned_of = functools.cache(tuned)


def inputs(case):
    """Return what an encoder is called with, and which positions are tokens."""
    given = {key: value for key, value in case.items() if key not in ("states", "logits")}
    return given, given.get("padding_mask", np.ones_like(case["token_ids"])).astype(bool)


def assert_close(actual, wanted, tolerance=1e-5):
    np.testing.assert_allclose(ops.convert_to_numpy(actual), wanted, rtol=0, atol=tolerance)


@pytest.mark.parametrize("named", matrix(CASES, default=FEW_CASES), ids="-".join)
def test_states_of_every_layer_and_logits_equal_the_reference(named):
    name, case = named
    wanted, model = golden(name)[case], tuned_of(name)
    encoder = model.encoder
    given, is_token = inputs(wanted)
    states = encoder.hidden_states(**given)
    assert len(states) == len(wanted["states"])
    for actual, expected in zip(states, wanted["states"], strict=True):
        assert_close(ops.convert_to_numpy(actual)[is_token], expected[is_token])
    for every_token in (True, False):
        features = encoder(**given, every_token=every_token)
        assert_close(model.head(features, is_token), wanted["logits"])


@pytest.mark.parametrize(
    "name", matrix(NAMES, default=["deberta_v2", "gpt2", "modernbert", "mpnet"])
)
def test_packed_rows_equal_single_texts(name):
    encoder = encoder_of(name)
    texts = [[5, 6, 7], [8, 9, 10, 11, 12], [13, 14]]
    row = np.array([[id for text in texts for id in text]])
    packed = encoder(row, starts=np.array([[0, 3, 8]]))
    first_only = encoder(row, starts=np.array([[0, 3, 8]]), every_token=False)
    assert_close(first_only["pooled"], packed["pooled"])
    for number, text in enumerate(texts):
        alone = encoder(np.array([text]))
        assert_close(packed["pooled"][number], alone["pooled"][0])
        start = sum(map(len, texts[:number]))
        states = packed["sequence"][0, start : start + len(text)]
        assert_close(states, alone["sequence"][0])


@pytest.mark.matrix
@pytest.mark.parametrize("name", matrix(NAMES, default=["modernbert"]))
def test_training_without_dropout_computes_what_inference_does(name):
    encoder = read(name, dropout=0.0, attention_dropout=0.0)
    head = Classification(classes=3, dropout=0.0, seed=1)
    model = FineTuner(encoder=encoder, head=head, pad_id=1)
    ids = np.array([[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 1]])
    step = tf.function(lambda ids: model({"token_ids": ids}, training=True), reduce_retracing=True)
    unknown = step.get_concrete_function(tf.TensorSpec([None, None], tf.int64))
    for logits in (step(ids), unknown(tf.constant(ids))):
        assert_close(logits, model({"token_ids": ids}))


@pytest.mark.parametrize("name", NAMES)
def test_round_trip_gives_the_same_bytes(name):
    encoder, wanted = encoder_of(name), dict(huggingface.read_tensors(FIXTURES / name))
    for part in ("weight", "bias"):
        wanted.pop(f"{encoder.family.classifier}.{part}", None)
    found = {encoder.family.name_below_head(n): value for n, value in encoder.tensors().items()}
    assert {n: (v.shape, v.tobytes()) for n, v in found.items()} == {
        n: (v.shape, v.tobytes()) for n, v in wanted.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_encoder_alone_is_read_and_its_pooler_is_new(name):
    encoder, tensors = read(name), huggingface.read_tensors(FIXTURES / name)
    family = encoder.family
    alone = {
        family.plain_name(n): value
        for n, value in tensors.items()
        if n.startswith(f"{family.prefix}.") and family.plain_name(n) not in family.pooler_tensors
    }
    assert set(encoder.load(alone)) == set(family.pooler_tensors)
    with pytest.raises(UserError, match="1 missing") as error:
        first = family.embeddings[0].tensors[0]
        encoder.load({n: value for n, value in alone.items() if n != first})
    assert family.classes["encoder"] in str(error.value)
    with pytest.raises(UserError, match=r"1 unexpected \(.*(layers?|h)\.9"):
        layer = next(n for n in alone if re.search(r"(layers?|h)\.[01]\.", n))
        other = re.sub(r"(layers?|h)\.[01]\.", r"\1.9.", layer)
        encoder.load({**alone, other: alone[layer]})


@pytest.mark.parametrize("name", NAMES)
def test_config_json_is_read_and_written_as_the_reference_has_it(name):
    theirs = json.loads((FIXTURES / name / "config.json").read_text())
    ours = encoder_of(name).huggingface_config()
    different = {"initializer_range", "position_embedding_type"}
    # ModernBERT's of transformers 4, which version 5 reads but does not write.
    different |= {"global_attn_every_n_layers", "global_rope_theta", "local_rope_theta"}
    assert {k: v for k, v in ours.items() if k not in different}.items() <= theirs.items()
    cls = type(encoder_of(name))
    assert cls.settings(ours) == cls.settings(theirs)
    with pytest.raises(ValueError, match="`model_type` must be"):
        cls.settings({**theirs, "model_type": "gpt"})


@pytest.mark.parametrize("name", NAMES)
def test_encoder_is_rebuilt_from_its_config(name):
    encoder = find(name)(**SIZES, seed=4, pooler=False)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(encoder))
    assert type(copy) is type(encoder)
    assert copy.get_config() == encoder.get_config()
    np.testing.assert_equal(copy.tensors(), encoder.tensors())


@pytest.mark.parametrize("name", NAMES)
def test_classes_exist_in_transformers(name):
    transformers = pytest.importorskip("transformers")
    assert set(encoder_of(name).family.classes.values()) <= set(transformers.__all__)


@pytest.mark.parametrize("name", matrix(NAMES, default=[*DISTINCT, "gpt2"]))
@pytest.mark.parametrize("pooling", matrix(["pooled", "mean"], default=["pooled"]))
def test_onnx_graph_gives_the_same_logits(name, pooling):
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    model = tuned(name, pooling)
    ids = np.array([[5, 6, 7, 8], [9, 10, *[model.pad_id] * 2]], np.int32)
    content = _onnx_graph.build(_onnx_graph.Graph(onnx), model, small.PROBLEM, segments=False)
    onnx.checker.check_model(content, full_check=True)
    session = runtime.InferenceSession(content.SerializeToString())
    found = session.run(["logits"], {"token_ids": ids})[0]
    assert_close(found, model({"token_ids": ids}), 1e-4)


@pytest.mark.parametrize("name", matrix(NAMES, default=[*DISTINCT, "deberta_v2"]))
def test_published_classifier_starts_the_head_where_labels_match(name, tmp_path):
    folder = shutil.copytree(FIXTURES / name, tmp_path / "tuned")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {str(i): label for i, label in enumerate(LABELS)}
    (folder / "config.json").write_text(json.dumps(config))
    wanted = golden(name)["plain_7"]
    for labels, order in ((LABELS, [0, 1, 2]), (LABELS[::-1], [2, 1, 0])):
        encoder = read(name)
        head = Classification(classes=3, seed=1)
        model = FineTuner(encoder=encoder, head=head, pad_id=encoder.pad_id)
        settings = Config(task="imdb", encoder=str(folder), head="checkpoint")
        classifier.start_head(settings, model, problem.Classification(labels=labels), folder)
        logits = model({"token_ids": wanted["token_ids"]})
        assert_close(logits, wanted["logits"][:, order])


POLICIES = {
    "freeze(layers=1)": "layer_1",
    "layerwise(decay=0.5)": "embeddings",
    "discriminative": "embeddings",
    "lora(rank=2)": "lora",
    "bitfit": "bias",
    "adapters(size=4)": "adapters",
    "reinit(layers=1)": "embeddings",
    "gradual_unfreezing": "pooler",
}


@pytest.mark.parametrize("name", matrix(NAMES, default=["electra"]))
@pytest.mark.parametrize("spec", matrix(POLICIES, default=["freeze(layers=1)", "lora(rank=2)"]))
def test_policies_act_on_every_family(name, spec):
    encoder = find(name)(**SIZES, seed=1)
    head = Classification(classes=3, seed=1)
    model = FineTuner(encoder=encoder, head=head, pad_id=0)
    policy = catalog.build("policy", spec, seed=1)
    policy.prepare(model)
    policy.check(model)
    ids = np.array([[5, 6, 7, 8]])
    with tf.GradientTape() as tape:
        loss = ops.sum(ops.square(model({"token_ids": ids}, training=True)))
    wanted = POLICIES[spec]
    if wanted == "layer_1" and name == "albert":  # its only layer is frozen
        wanted = "pooler"
    if wanted == "pooler" and name == "gpt2":  # which has none
        wanted = "head"
    trained = [v for v in model.trainable_variables if wanted in v.path]
    assert trained
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    assert all(gradient is not None for gradient in gradients)
    if spec.startswith("freeze"):
        assert not any("embeddings" in v.path for v in model.trainable_variables)


@pytest.mark.parametrize("name", matrix(NAMES, default=["roberta"]))
def test_xla_compiles_the_encoder(name):
    encoder = encoder_of(name)
    ids = np.array([[5, 6, 7, 8]], "int32")
    compiled = tf.function(lambda ids: encoder(ids)["pooled"], jit_compile=True)
    assert_close(compiled(ids), encoder(ids)["pooled"])


def test_projection_exists_only_if_widths_differ():
    electra = catalog.find("encoder", "electra")
    same, other = (electra(**SIZES, embedding=width) for width in (8, 4))
    assert "embeddings_project.weight" not in same.tensors()
    assert other.tensors()["embeddings_project.weight"].shape == (8, 4)
    assert other.embedding == 4
    with pytest.raises(ValueError, match=r"`embedding` must be .*Received: 0"):
        electra(**SIZES, embedding=0)


def test_unknown_model_type_is_refused_with_those_that_are_supported(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "reformer"}')
    config = Config(task="imdb", encoder=str(tmp_path))
    with pytest.raises(UserError, match="'reformer' model; available are: .*bert, camembert, de"):
        encoder_source.build_new(config, tmp_path, pooler=True)


def export(name, head, folder):
    """Write a classifier, or its encoder alone, in Hugging Face's format; return the model."""
    model, tokenizer = tuned_of(name), NoTokenizer()
    layer = SimpleNamespace(max_length=12, tokenizer=tokenizer, truncation=Head(), redaction=None)
    Huggingface(
        model=model,
        text_layer=layer,
        problem=small.PROBLEM,
        pairs=False,
        plain=True,
        run_dir=folder,
        card=small.Card(),
        head=head,
    ).save(folder)
    return model, np.array([[5, 6, 7, 8], [9, 10, *[model.pad_id] * 2]])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("head", [True, False])
def test_export_is_read_back_as_the_same_model(name, head, tmp_path):
    model, ids = export(name, head, tmp_path)
    again = _read_back.read(tmp_path, model, "sequence_classification" if head else None)
    assert_close(model({"token_ids": ids}), again({"token_ids": ids}))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("head", [True, False])
def test_transformers_computes_the_same_from_our_export(name, head, tmp_path):
    torch = pytest.importorskip("torch", reason="transformers runs models in PyTorch only")
    transformers = pytest.importorskip("transformers")
    model, ids = export(name, head, tmp_path)
    kind = "AutoModelForSequenceClassification" if head else "AutoModel"
    auto, info = getattr(transformers, kind).from_pretrained(tmp_path, output_loading_info=True)
    assert not info["unexpected_keys"]
    given = torch.tensor(ids), torch.tensor(ids != model.pad_id).long()
    with torch.no_grad():
        out = auto.eval()(input_ids=given[0], attention_mask=given[1])
    if head:
        assert not info["missing_keys"]
        assert_close(model({"token_ids": ids}), out.logits.numpy())
    else:
        states = model.encoder(ids, ids != model.pad_id)["sequence"]
        assert_close(states[0], out.last_hidden_state[0].numpy())


class NoTokenizer:
    """A tokenizer without files."""

    def save(self, folder, **keys):
        """Write nothing."""
