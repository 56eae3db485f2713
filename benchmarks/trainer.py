"""Train with Hugging Face's PyTorch Trainer on the reviews of `imdb_subset.py`, for reference.

    python benchmarks/trainer.py --data OUT_FOLDER --model all-MiniLM-L6-v2 --seed 1

Needs its own environment with transformers 5.23, torch 2.13, accelerate and scikit-learn. The
settings are those of the run in the docs: length 128, batch size 16, 2 epochs, learning rate 5e-5,
AdamW with weight decay 0.01, 10 % warm-up, linear decay, clipping at 1.0, batches grouped by
length. The last epoch is tested, which is the Trainer's default.
"""

import argparse
import json
import pathlib
import tempfile
import time

import numpy as np
import torch
import transformers


def _read(path: pathlib.Path, tokenizer, max_length: int) -> list[dict]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    texts = [row["text"] for row in rows]
    encoded = tokenizer(texts, truncation=True, max_length=max_length)["input_ids"]
    return [
        {"input_ids": ids, "length": len(ids), "labels": row["label"]}
        for ids, row in zip(encoded, rows, strict=True)
    ]


class Reviews(torch.utils.data.Dataset):
    def __init__(self, rows: list[dict]):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        row = self.rows[index]
        return {"input_ids": row["input_ids"], "labels": row["labels"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max_length", type=int, default=128)
    flags = parser.parse_args()
    tokenizer = transformers.AutoTokenizer.from_pretrained(flags.model)
    train, test = (
        Reviews(_read(flags.data / f"{name}.jsonl", tokenizer, flags.max_length))
        for name in ("train", "test")
    )
    transformers.set_seed(flags.seed)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        flags.model, num_labels=2
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(
                output_dir=folder,
                num_train_epochs=2,
                per_device_train_batch_size=16,
                per_device_eval_batch_size=32,
                learning_rate=5e-5,
                weight_decay=0.01,
                warmup_steps=0.1,
                lr_scheduler_type="linear",
                train_sampling_strategy="group_by_length",
                save_strategy="no",
                report_to=[],
                seed=flags.seed,
                disable_tqdm=True,
                logging_steps=50,
            ),
            train_dataset=train,
            data_collator=transformers.DataCollatorWithPadding(tokenizer),
        )
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
        output = trainer.predict(test)
    # Use the Trainer's labels: it may have sorted the texts by length.
    accuracy = float(np.mean(output.predictions.argmax(axis=1) == output.label_ids))
    tokens = 2 * sum(row["length"] for row in train.rows)
    print(
        json.dumps(
            {"test_accuracy": accuracy, "seconds": seconds, "tokens_per_second": tokens / seconds}
        )
    )


if __name__ == "__main__":
    main()
