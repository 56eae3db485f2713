# %% [markdown]
# # Reviews of films
#
# Fine-tune a real encoder on real text: 1,000 of IMDb's 25,000 training reviews, and the sentence encoder `all-MiniLM-L6-v2` with its 22.7
# million parameters. On two cores this takes a few minutes. TensorFlow Datasets downloads IMDb (80 MB), and the Hugging Face Hub the
# encoder (90 MB).

# %%
import ftkeras

run = ftkeras.train(
    task="imdb",
    encoder="sentence-transformers/all-MiniLM-L6-v2",
    train_examples=1000,
    validation_examples=200,
    test_examples=500,
    max_length=128,
    truncation="head_tail(head=64)",
    run_dir="runs/imdb",
    verbose=0,
)
{name: round(run.metrics["test"][name], 3) for name in ("accuracy", "f1", "auc")}

# %% [markdown]
# `learning_rate` and `epochs` are chosen from the encoder's width and the number of examples. The run records what was chosen:

# %%
run.history[["learning_rate", "loss", "val_loss", "val_accuracy"]].round(5)

# %% [markdown]
# ## Where it is wrong
#
# Each row is a test review with its label, the prediction, and the probabilities. These are the wrong answers that the model was most
# sure of.

# %%
predictions = run.predictions("test")
wrong = predictions[predictions["label"] != predictions["predicted"]]
sure = wrong.assign(score=wrong[["probability_negative", "probability_positive"]].max(axis=1))
sure.sort_values("score", ascending=False)[["id", "label", "predicted", "score"]].head(3)

# %%
run.confusion()

# %% [markdown]
# ## Use it
#
# The export is a SavedModel that takes strings of any length.

# %%
model = ftkeras.load(run)
reviews = [
    "Two hours that felt like four, and I would not have missed a minute of it.",
    "The trailer has all the good jokes.",
    "I have seen worse, but not this year.",
]
model.predict(reviews).round(3)

# %% [markdown]
# `explain` attributes the score of an answer to the words of the text: blue speaks for the answer, red against it. Its method is
# occlusion, because this export has no signature for gradients (`export="saved_model(explain=True)"` adds one).

# %%
model.explain(reviews[:1], method="occlusion")[0]
