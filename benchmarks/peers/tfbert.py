"""transformers 4.57's TFBertForSequenceClassification in `model.fit`, as its own examples run it.

Variants: `max_length`, every review padded to that length; `batch`, each batch padded to its
longest review. Variants ending in `_xla` are compiled (`jit_compile=True`, which is `--xla` in its
examples). Needs transformers 4.57.6, tf-keras 2.21 and tensorflow 2.21.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf
import tf_keras
import transformers
from turns import Turns, bert_config, given, reviews


def main() -> None:
    asked = given()
    turns, padding = Turns(asked["steps"]), asked["variant"].removesuffix("_xla")
    texts, labels = reviews(asked["reviews"])
    if asked["checkpoint"]:
        tokenizer = transformers.AutoTokenizer.from_pretrained(asked["checkpoint"])
        # Not its weights: 4.57 can't read safetensors with today's safetensors. They cost no time.
        config = transformers.BertConfig.from_pretrained(asked["checkpoint"], num_labels=2)
    else:
        tokenizer = transformers.BertTokenizerFast(asked["vocabulary"], do_lower_case=True)
        config = transformers.BertConfig(**bert_config(asked, len(tokenizer)))
    model = transformers.TFBertForSequenceClassification(config)
    encoded = tokenizer(texts, truncation=True, max_length=asked["max_length"])["input_ids"]

    def batches():
        rng = np.random.default_rng(0)
        while True:
            order = rng.permutation(len(encoded))
            for start in range(0, len(order) - asked["batch_size"] + 1, asked["batch_size"]):
                rows = order[start : start + asked["batch_size"]]
                inputs = tokenizer.pad(
                    {"input_ids": [encoded[row] for row in rows]},
                    padding="max_length" if padding == "max_length" else "longest",
                    max_length=asked["max_length"],
                    return_tensors="np",
                )
                lengths = [len(encoded[row]) for row in rows]
                turns.add_batch(lengths, computed=inputs["input_ids"].size)
                yield dict(inputs), np.array([labels[row] for row in rows])

    length = asked["max_length"] if padding == "max_length" else None
    spec = tf.TensorSpec((asked["batch_size"], length), tf.int64)
    names = ("input_ids", "attention_mask")
    signature = (dict.fromkeys(names, spec), tf.TensorSpec((asked["batch_size"],), tf.int64))
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)
    if asked["predict"]:
        done = tf_keras.callbacks.LambdaCallback(
            on_predict_batch_end=lambda batch, logs: turns.step_done()
        )
        model.predict(dataset, steps=10**6, verbose=0, callbacks=[done])
    optimizer, _ = transformers.create_optimizer(
        5e-5, 32_000, 3_200, weight_decay_rate=0.01, adam_global_clipnorm=1.0
    )
    model.compile(optimizer=optimizer, jit_compile=asked["variant"].endswith("_xla"))
    step_done = tf_keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: turns.step_done()
    )
    model.fit(dataset, steps_per_epoch=10**6, epochs=1, verbose=0, callbacks=[step_done])


if __name__ == "__main__":
    main()
