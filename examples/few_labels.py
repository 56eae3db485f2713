# %% [markdown]
# # Few labels
#
# With 16 labelled reviews, fine-tuning has little to learn from. This notebook compares it with contrastive training (SetFit): pairs of
# the same 16 reviews tune the encoder first, and a classifier of its vectors is trained after that. The data are IMDb's, the encoder is
# `all-MiniLM-L6-v2`.

# %%
import ftkeras

settings = {
    "task": "imdb",
    "encoder": "sentence-transformers/all-MiniLM-L6-v2",
    "train_examples": 16,
    "validation_examples": 50,
    "test_examples": 500,
    "max_length": 128,
    "truncation": "head_tail(head=64)",
    "verbose": 0,
}
plain = ftkeras.train(**settings, run_dir="runs/plain")
plain.metrics["test"]["accuracy"]

# %%
pairs = ftkeras.train(**settings, few_shot="contrastive", run_dir="runs/pairs")
pairs.metrics["test"]["accuracy"]

# %% [markdown]
# ## Is the difference real?
#
# Both runs answered the same 500 test reviews. `compare` tests whether their answers differ by more than chance. It says nothing about
# another draw of 16 reviews; for that, repeat both with several seeds.

# %%
for line in ftkeras.compare(plain, pairs, verbose=0)["conclusions"]:
    print(line)
