"""transformers 5's Trainer on PyTorch.

Variants:

- `random`: each batch padded to its longest review
- `group_by_length`: batches of reviews of similar length
- `random_compiled`: with torch.compile, all padded to `max_length` so that there is only one shape

Tested with transformers 5.17 and torch 2.13. Also needs accelerate.
"""

import tempfile

import torch
import transformers
from turns import Turns, bert_config, given, reviews


class Rows(torch.utils.data.Dataset):
    """The reviews as a dataset for the Trainer."""

    def __init__(self, encoded, labels):
        self.encoded, self.labels = encoded, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, row):
        return {"input_ids": self.encoded[row], "labels": self.labels[row]}


def padded(rows: list[dict], pad_id: int, length: int | None) -> dict:
    """Pad rows to `length` or to the longest row, faster than transformers' collator."""
    ids = [row["input_ids"] for row in rows]
    ids = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=pad_id)
    if length is not None:
        ids = torch.nn.functional.pad(ids, (0, length - ids.shape[1]), value=pad_id)
    labels = torch.tensor([row["labels"] for row in rows])
    return {"input_ids": ids, "attention_mask": (ids != pad_id).long(), "labels": labels}


class StepDone(transformers.TrainerCallback):
    """Reports each step."""

    def __init__(self, turns):
        self.turns = turns

    def on_step_end(self, args, state, control, **kwargs):
        self.turns.step_done()


def main() -> None:
    asked = given()
    on_gpu = {"settle": torch.cuda.synchronize, "memory": torch.cuda.max_memory_allocated}
    turns = Turns(asked["steps"], **(on_gpu if asked["gpu"] else {}))
    compiled = asked["variant"].endswith("_compiled")
    texts, labels = reviews(asked["reviews"])
    if asked["checkpoint"]:
        tokenizer = transformers.AutoTokenizer.from_pretrained(asked["checkpoint"])
        load = transformers.BertForSequenceClassification.from_pretrained
        model = load(asked["checkpoint"], num_labels=2)
    else:
        tokenizer = transformers.BertTokenizer(asked["vocabulary"], do_lower_case=True)
        config = transformers.BertConfig(**bert_config(asked, len(tokenizer)))
        model = transformers.BertForSequenceClassification(config)
    encoded = tokenizer(texts, truncation=True, max_length=asked["max_length"])["input_ids"]
    encoded = [torch.tensor(ids) for ids in encoded]

    def collate(rows):
        batch = padded(rows, tokenizer.pad_token_id, asked["max_length"] if compiled else None)
        turns.add_batch([len(row["input_ids"]) for row in rows], batch["input_ids"].numel())
        return batch

    arguments = transformers.TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        max_steps=32_000,
        per_device_train_batch_size=asked["batch_size"],
        dataloader_drop_last=True,
        learning_rate=5e-5,
        weight_decay=0.01,
        warmup_steps=0.1,
        train_sampling_strategy=asked["variant"].removesuffix("_compiled"),
        torch_compile=compiled,
        bf16=asked["gpu"],
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=not asked["gpu"],
    )
    trainer = transformers.Trainer(
        model=model,
        args=arguments,
        train_dataset=Rows(encoded, labels),
        data_collator=collate,
        callbacks=[StepDone(turns)],
    )
    trainer.train()


if __name__ == "__main__":
    main()
