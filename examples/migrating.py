# %% [markdown]
# # Migrating from Trainer, KerasHub and ktrain
#
# Each section shows code for another library, and then the code for ftkeras that does the same. Only the latter is executed here. The page
# *Coming from another library* lists more settings.
#
# First, we write a file: short reviews, each labelled good or bad.

# %%
import csv
import itertools

import ftkeras

THINGS = "film plot cast music ending story dialogue humor pacing script soundtrack comedy"
WORDS = {
    "good": "charming superb moving clever wonderful brilliant gripping funny excellent fresh",
    "bad": "dull weak silly tedious dreadful boring awful clumsy predictable terrible",
}
rows = [
    (f"The {thing} was {word}.", mood)
    for mood, words in WORDS.items()
    for thing, word in itertools.product(THINGS.split(), words.split())
]
with open("reviews.csv", "w", newline="") as stream:
    csv.writer(stream).writerows([("text", "label"), *rows])
rows[0], rows[-1]

# %% [markdown]
# ## From transformers' Trainer
#
# ```python
# data = load_dataset("csv", data_files="reviews.csv")["train"].class_encode_column("label")
# data = data.train_test_split(test_size=0.1, stratify_by_column="label")
# names = data["train"].features["label"].names
# tokenizer = AutoTokenizer.from_pretrained(ENCODER)
# data = data.map(lambda rows: tokenizer(rows["text"], truncation=True, max_length=32), batched=True)
# model = AutoModelForSequenceClassification.from_pretrained(
#     ENCODER, id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)}
# )
# arguments = TrainingArguments(
#     "out", learning_rate=1e-3, num_train_epochs=8, per_device_train_batch_size=16, warmup_steps=0.1
# )
# trainer = Trainer(
#     model,
#     arguments,
#     train_dataset=data["train"],
#     eval_dataset=data["test"],
#     data_collator=DataCollatorWithPadding(tokenizer),
#     compute_metrics=lambda p: {"accuracy": np.mean(p.predictions.argmax(-1) == p.label_ids)},
# )
# trainer.train()
# trainer.evaluate()
# trainer.save_model("reviews")
# tokenizer.save_pretrained("reviews")
# ```
#
# ftkeras finds the columns, holds out a part for validation and another for the test, and keeps the best epoch. The encoder here is small
# and starts from random weights, so that the notebook runs in seconds. Yours would be `"distilbert-base-uncased"`, and you would leave out
# `learning_rate` and `epochs`, which are then chosen automatically.

# %%
run = ftkeras.train(
    "reviews.csv",
    encoder="bert(layers=2, hidden=64, heads=4, vocabulary='reviews')",
    max_length=32,
    learning_rate=1e-3,
    epochs=8,
    batch_size=16,
    export=["saved_model", "huggingface"],
    run_dir="runs/reviews",
    verbose=0,
)
run.metrics["test"]["accuracy"]

# %% [markdown]
# To predict:
#
# ```python
# pipeline("text-classification", "reviews", top_k=None)(["The music was superb."])
# ```

# %%
ftkeras.load(run).predict(["The music was superb.", "The pacing was clumsy."]).round(3)

# %% [markdown]
# `export="huggingface"` also wrote a folder that `AutoModelForSequenceClassification` and `AutoTokenizer` can load:

# %%
checkpoint = next(path for path in run.exports if (path / "model.safetensors").exists())
sorted(path.name for path in checkpoint.iterdir())

# %% [markdown]
# ## From KerasHub
#
# ```python
# model = keras_hub.models.TextClassifier.from_preset(PRESET, num_classes=2)
# model.compile(
#     optimizer=keras.optimizers.AdamW(1e-3),
#     loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
#     metrics=["accuracy"],
# )
# model.fit(texts, numbers, epochs=2)
# model.predict(["The music was superb."])
# ```
#
# `ftkeras.TextClassifier` is a Keras model on strings, too. Its labels may be names, and it starts from any checkpoint in Hugging Face's
# format. Here that is the one that we have just exported.

# %%
texts, labels = zip(*rows, strict=True)
model = ftkeras.TextClassifier.from_pretrained(checkpoint, labels=["bad", "good"], max_length=32)
model.compile(
    optimizer=ftkeras.optimizers.AdamW(1e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(list(texts), list(labels), epochs=2, verbose=0)
model.predict(["The music was superb."], verbose=0).round(3)

# %% [markdown]
# Instead of `backbone.enable_lora(rank=8)`, `ftkeras.train` takes `policy="lora(rank=8)"`.
#
# ## From ktrain
#
# ```python
# transformer = text.Transformer(ENCODER, maxlen=32, class_names=["bad", "good"])
# train = transformer.preprocess_train(x_train, y_train)
# test = transformer.preprocess_test(x_test, y_test)
# learner = ktrain.get_learner(transformer.get_classifier(), train, test, batch_size=16)
# learner.fit_onecycle(1e-3, 8)
# learner.validate(class_names=["bad", "good"])
# predictor = ktrain.get_predictor(learner.model, transformer)
# predictor.explain("The music was superb.")
# ```
#
# The one-cycle policy is a schedule. `run.confusion()` shows the matrix of `validate`.

# %%
cycle = ftkeras.train(
    "reviews.csv",
    encoder="bert(layers=2, hidden=64, heads=4, vocabulary='reviews')",
    max_length=32,
    schedule="one_cycle",
    learning_rate=1e-3,
    epochs=8,
    batch_size=16,
    run_dir="runs/one_cycle",
    verbose=0,
)
cycle.confusion()

# %% [markdown]
# `explain` attributes the answer to the words: blue speaks for it, red against it.

# %%
ftkeras.load(cycle).explain(["The music was superb."], method="occlusion")[0]
