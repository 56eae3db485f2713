"""Whole runs of every family on pairs of texts: training, export and serving."""

import json

import numpy as np
import pytest

from tests.matrix import matrix
from tests.running import succeed
from tests.text.byte_pair_reference import modern_settings, small_vocabulary
from tests.text.unigram_reference import small_model, tokenizer

SIZE = "layers=1, hidden=32, heads=2, positions=32, dropout=0.0, attention_dropout=0.0"
ENCODERS = {
    "roberta": f"roberta({SIZE}, vocabulary='tokenizer')",
    "modernbert": f"modernbert({SIZE.replace('1', '2', 1)}, window=8, vocabulary='modern')",
    "xlm_roberta": f"xlm_roberta({SIZE}, vocabulary='sentencepiece')",
    "distilbert": f"distilbert({SIZE}, vocabulary='reviews')",
    "electra": f"electra({SIZE}, embedding=16, vocabulary='reviews')",
}
WORDS = ["the movie", "a plot", "great acting", "dull", "music", "not good"]


def _write_rows(path, count):
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            first, second = WORDS[number % 6], WORDS[(number // 6) % 6]
            label = "same" if (number % 6 < 3) == ((number // 6) % 6 < 3) else "other"
            file.write(json.dumps({"a": first, "b": second, "kind": label}) + "\n")


@pytest.fixture(scope="module", params=matrix(ENCODERS, default=["roberta"]))
def folder(request, tmp_path_factory):
    from ftkeras.text.byte_pair import BytePair

    folder = tmp_path_factory.mktemp(request.param)
    vocabulary, merges = small_vocabulary()
    BytePair(vocabulary=vocabulary, merges=merges).save(folder / "tokenizer")
    for name in ("sentencepiece", "modern"):
        (folder / name).mkdir()
    BytePair(**modern_settings()).save(folder / "modern")
    tokenizer(small_model()).save(folder / "sentencepiece")
    for name, count in (("train", 180), ("test", 36)):
        _write_rows(folder / f"{name}.jsonl", count)
    succeed(
        "--task=classification(train='train.jsonl', test='test.jsonl', text='a', pair='b', "
        "label='kind')",
        f"--encoder={ENCODERS[request.param]}",
        *("--max_length=24", "--epochs=20", "--learning_rate=5e-3", "--run_dir=run"),
        *("--export=saved_model(explain=True, steps=4)", "--export=onnx", "--export=huggingface"),
        cwd=folder,
    )
    return folder


@pytest.mark.process
def test_run_learns_and_is_served_as_it_was_evaluated(folder):
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  registers the ops of the text layer

    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] >= 0.9
    rows = [json.loads(line) for line in (folder / "test.jsonl").open(encoding="utf-8")]
    lines = (folder / "run" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    expected = [json.loads(line)["probabilities"] for line in lines]
    model = tf.saved_model.load(folder / "saved_models" / "train" / "1")
    texts = {
        n: tf.constant([row[key] for row in rows]) for n, key in (("text", "a"), ("pair", "b"))
    }
    served = model.signatures["serving_default"](**texts)
    np.testing.assert_allclose(served["probabilities"], expected, atol=1e-5)
    explained = model.signatures["explain"](**texts)
    assert explained["tokens"].shape == explained["attributions"].shape


@pytest.mark.process
def test_transformers_gives_the_same_answers_from_texts(folder):
    torch = pytest.importorskip("torch", reason="transformers runs models in PyTorch only")
    transformers = pytest.importorskip("transformers")
    exported = folder / "run" / "huggingface"
    tokenizer = transformers.AutoTokenizer.from_pretrained(exported)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(exported).eval()
    rows = [json.loads(line) for line in (folder / "test.jsonl").open(encoding="utf-8")]
    lines = (folder / "run" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    expected = [json.loads(line)["probabilities"] for line in lines]
    texts = ([row[name] for row in rows] for name in ("a", "b"))
    inputs = tokenizer(*texts, return_tensors="pt", padding=True)
    with torch.no_grad():
        probabilities = torch.softmax(model(**inputs).logits, dim=-1).numpy()
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
