r"""Train the package setfit on the files of `few_labels.py`, in an environment that has it.

    python benchmarks/few_labels_setfit.py --shared=../shared/data --out=/tmp/few \
        --data sst2 agnews --labels 8 16 64 --seeds 0 1 2

Needs `pip install setfit torch`. The settings are those of the paper and of
`few_shot=contrastive`: `--pairs` pairs of each kind for each text, one pass, a learning rate of
2e-5, and batches of 16. The script prints the test accuracy, as mean and standard deviation over
the seeds.
"""

import argparse
import json
import os
import pathlib
import statistics
import time

LENGTH = 64


def main() -> None:
    """Run the missing trainings, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--data", nargs="+", default=["sst2", "agnews"])
    parser.add_argument("--labels", type=int, nargs="+", default=[8, 16, 64])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--pairs", type=int, default=20)
    given = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    for name in given.data:
        for count in given.labels:
            found = [_measure(given, name, count, seed) for seed in given.seeds]
            accuracies = [run["accuracy"] for run in found]
            spread = statistics.stdev(accuracies) if len(found) > 1 else 0.0
            seconds = statistics.mean(run["seconds"] for run in found)
            shown = " ".join(f"{accuracy:.4f}" for accuracy in accuracies)
            print(
                f"{name:12}{count:4} setfit      {statistics.mean(accuracies):.3f} ± {spread:.3f}"
                f"  [{shown}]  {seconds:.0f} s",
                flush=True,
            )


def _measure(given: argparse.Namespace, name: str, count: int, seed: int) -> dict:
    folder = given.out / f"{name}-{count}-{seed}"
    path = folder / "setfit.json"
    if not path.exists():
        path.write_text(json.dumps(_train(given, folder, seed)))
    return json.loads(path.read_text())


def _train(given: argparse.Namespace, folder: pathlib.Path, seed: int) -> dict:
    import pandas
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    files = {split: pandas.read_csv(folder / f"{split}.csv") for split in ("train", "test")}
    labels = sorted(set(files["train"]["label"]))
    data = {
        split: Dataset.from_dict(
            {"text": list(table["text"]), "label": [labels.index(x) for x in table["label"]]}
        )
        for split, table in files.items()
    }
    model = SetFitModel.from_pretrained(str(given.shared / "models" / "all-MiniLM-L6-v2"))
    model.model_body.max_seq_length = LENGTH
    arguments = TrainingArguments(
        output_dir=str(folder / "setfit"),
        num_iterations=given.pairs,
        num_epochs=1,
        batch_size=16,
        body_learning_rate=2e-5,
        seed=seed,
        save_strategy="no",
        report_to="none",
    )
    start = time.perf_counter()
    trainer = Trainer(model=model, args=arguments, train_dataset=data["train"])
    trainer.train()
    seconds = time.perf_counter() - start
    predicted = model.predict(data["test"]["text"])
    right = [int(p) == t for p, t in zip(predicted, data["test"]["label"], strict=True)]
    return {"accuracy": sum(right) / len(right), "seconds": seconds}


if __name__ == "__main__":
    main()
