"""Pairs of texts, three classes and labels that are not ASCII, through a whole run."""

import json

import numpy as np
import pytest

from tests.running import call_ftkeras, succeed

pytestmark = pytest.mark.process

LABELS = ["schlecht", "très bon", "普通"]
ENCODER = "bert(layers=1, hidden=32, heads=2, positions=32, vocabulary='reviews', dropout=0.0)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Train on generated pairs, in a folder whose name has a space."""
    folder = tmp_path_factory.mktemp("pairs") / "a folder"
    folder.mkdir()
    words = ["the movie", "a plot", "great acting", "dull", "music", "not good"]
    for name, count in (("train", 90), ("test", 30)):
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            for number in range(count):
                first, second = words[number % 3], words[(number + 1) % 3 + number % 2]
                row = {"a": first, "b": second, "stars": LABELS[number % 3]}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    succeed(
        "--task=classification(train='train.jsonl', test='test.jsonl', text='a', pair='b', "
        "label='stars')",
        f"--encoder={ENCODER}",
        "--max_length=20",
        "--truncation=head_tail(head=4)",
        "--epochs=4",
        "--learning_rate=5e-3",
        "--run_dir=my run",
        cwd=folder,
    )
    return folder


def test_labels_come_through(folder):
    assert json.loads((folder / "my run" / "labels.json").read_text(encoding="utf-8")) == LABELS
    metrics = json.loads((folder / "my run" / "metrics.json").read_text())
    assert np.array(metrics["confusion"]).sum(axis=1).tolist() == [10, 10, 10]


def test_pairs_are_served_as_they_were_evaluated(folder):
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  registers the ops of the text layer

    rows = [json.loads(line) for line in (folder / "test.jsonl").open(encoding="utf-8")]
    lines = (folder / "my run" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    expected = [json.loads(line)["probabilities"] for line in lines]
    model = tf.saved_model.load(folder / "saved_models" / "train" / "1")
    signature = model.signatures["serving_default"]
    served = signature(
        text=tf.constant([row["a"] for row in rows]), pair=tf.constant([row["b"] for row in rows])
    )
    np.testing.assert_allclose(served["probabilities"], expected, atol=1e-5)
    swapped = signature(
        text=tf.constant([row["b"] for row in rows]), pair=tf.constant([row["a"] for row in rows])
    )
    assert np.abs(swapped["probabilities"] - np.array(expected)).max() > 1e-5


def test_segment_ids_count_in_the_token_ids_signature(folder):
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  registers the ops of the text layer

    loaded = tf.saved_model.load(folder / "saved_models" / "train" / "1")
    token_ids = tf.constant([[2, 30, 3, 40, 3]])
    call = loaded.signatures["token_ids"]
    as_pair = call(token_ids=token_ids, segment_ids=tf.constant([[0, 0, 0, 1, 1]]))
    as_one = call(token_ids=token_ids, segment_ids=tf.zeros_like(token_ids))
    assert np.abs(as_pair["logits"] - as_one["logits"]).max() > 1e-6


def test_predict_takes_a_pair_per_line(folder):
    model = "--model=saved_models/train"
    output = succeed("predict", model, "--text=a plot\tgreat acting", cwd=folder)
    assert output.split("\t")[0] in LABELS
    alone = call_ftkeras("predict", model, "--text=a plot", cwd=folder)
    assert (alone.returncode, alone.stdout) == (2, "")
    assert "one tab between" in alone.stderr
    given = succeed("predict", model, "--text=a plot", "--pair=great acting", cwd=folder)
    assert given == output


def test_predict_reads_the_columns_of_the_run(folder):
    command = ["predict", "--model=saved_models/train", "--input=test.jsonl"]
    output = succeed(*command, "--output=answers.jsonl", cwd=folder)
    assert "text from 'a', second text from 'b'" in output
    assert output.endswith("wrote 30 answers to answers.jsonl\n")
    read = [(folder / name).read_text(encoding="utf-8") for name in ("answers.jsonl", "test.jsonl")]
    answers, rows = ([json.loads(line) for line in text.splitlines()] for text in read)
    lines = (folder / "my run" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    for answer, row, line in zip(answers, rows, lines, strict=True):
        expected = json.loads(line)
        assert {name: answer[name] for name in row} == row
        assert answer["predicted"] == expected["predicted"]
        found = [answer[f"probability_{label}"] for label in LABELS]
        np.testing.assert_allclose(found, expected["probabilities"], atol=1e-5)


def test_run_whose_labels_have_changed_is_not_evaluated(folder):
    content = (folder / "train.jsonl").read_text(encoding="utf-8")
    (folder / "train.jsonl").write_text(content.replace("schlecht", "übel"), encoding="utf-8")
    try:
        done = call_ftkeras("evaluate", "--run_dir=my run", cwd=folder)
    finally:
        (folder / "train.jsonl").write_text(content, encoding="utf-8")
    assert done.returncode == 2
    assert "übel" in done.stderr


def test_export_needs_no_data(folder):
    moved = folder / "train.jsonl"
    moved.rename(folder / "elsewhere")
    try:
        succeed("export", "--run_dir=my run", "--export=huggingface", cwd=folder)
    finally:
        (folder / "elsewhere").rename(moved)
    assert (folder / "my run" / "huggingface" / "model.safetensors").is_file()
