import json

import numpy as np
import pytest

from ftkeras.checkpoints import huggingface
from ftkeras.encoders.bert import Bert
from ftkeras.text.wordpiece import WordPiece


@pytest.fixture(scope="module")
def folder(finished_run):
    return finished_run / "run" / "huggingface"


def test_config_is_a_sequence_classifiers(folder):
    config = json.loads((folder / "config.json").read_text())
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert config["id2label"] == {"0": "negative", "1": "positive"}
    assert config["label2id"] == {"negative": 0, "positive": 1}


def test_weights_are_those_of_the_run(folder, finished_run):
    from safetensors.numpy import load_file

    kept = load_file(finished_run / "run" / "weights.safetensors")
    written = huggingface.read_tensors(folder)
    head = {path.rpartition("/")[2]: value for path, value in kept.items() if "head" in path}
    np.testing.assert_array_equal(written["classifier.weight"], head["kernel"].T)
    np.testing.assert_array_equal(written["classifier.bias"], head["bias"])
    np.testing.assert_array_equal(
        written["bert.embeddings.word_embeddings.weight"],
        kept["encoder/embeddings/token_embedding"],
    )


def test_folder_is_a_checkpoint_to_begin_from(folder):
    encoder = Bert(**Bert.settings(huggingface.read_config(folder)), initial="zeros")
    assert encoder.load(huggingface.read_tensors(folder)) == []
    assert WordPiece.from_folder(folder).vocabulary[:2] == ("[PAD]", "[UNK]")


def test_transformers_says_what_the_saved_model_says(folder, finished_run):
    torch = pytest.importorskip("torch", reason="transformers runs models in PyTorch only")
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    from ftkeras.serving.predictor import Predictor

    texts = ["Worth every minute.", "A waste of time."]
    predictor = Predictor(finished_run / "saved_models" / "quickstart" / "1")
    expected = [found.probabilities for found in predictor.predict(texts)]
    inputs = tokenizer(texts, return_tensors="pt", padding=True)
    probabilities = torch.softmax(model(**inputs).logits, dim=-1).detach().numpy()
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
