"""Calls as users write them, for the type checker; see the Makefile's target `lint`."""

import pathlib
from typing import Any

import keras

import ftkeras


def train_and_look(frame: Any) -> None:
    run = ftkeras.train("reviews.csv", encoder="bert-base-uncased", policy="lora(rank=8)", epochs=2)
    ftkeras.train(train=frame, test=False, text_column=["title", "body"], learning_rate="auto")
    ftkeras.train(pathlib.Path("a.csv"), warmup=0.1, export=["saved_model", "onnx"], verbose=0)
    accuracy: float = run.metrics["test"]["accuracy"]
    folder: pathlib.Path = run.folder
    print(accuracy, folder, run.command.upper(), run.history.shape, run.confusion().index)
    print(
        run.predictions("validation")["predicted"].value_counts(), run.plot(), run.exports[0].name
    )


def predict(run: ftkeras.Run) -> None:
    model: ftkeras.Model = ftkeras.load(run)
    print(model.predict(["a"])["predicted"], model.labels[0], ftkeras.load("saved_models/imdb"))
    print(model.embed(["a"]).shape, model.explain(["a"])[0]["tokens"], run.predict(["a"]).columns)


def evaluate_and_search(run: ftkeras.Run, frame: Any) -> None:
    evaluation: ftkeras.Evaluation = ftkeras.evaluate(run, data=frame, label_column="stars")
    folds = ftkeras.crossvalidate("a.csv", folds=5, parallel=2)
    print(ftkeras.compare(run, folds, split="validation")["conclusions"], evaluation.splits)
    search = ftkeras.tune("a.csv", search={"batch_size": "choice(8, 16)"}, max_trials=3)
    print(search.best, search.trials.shape, folds.predictions().columns, search.recipe.name)
    print(ftkeras.export(run, export="onnx")[0].name)


def parts_in_keras(model: keras.Model) -> None:
    schedule = ftkeras.schedules.Warmup(ftkeras.schedules.Linear(1e-3, total_steps=9), steps=1)
    loss = ftkeras.losses.Focal(gamma=1.0)
    model.compile(optimizer=ftkeras.optimizers.AdamW(schedule, weight_decay=0.1), loss=loss)


class Status(ftkeras.Reporter):
    """Show progress in one's own program."""

    def progress(self, title: str, done: int, total: int | None, details: str) -> None:
        print(title, done, total, details)


def progress_and_models() -> None:
    run = ftkeras.train("reviews.csv", reporter=Status())
    ftkeras.evaluate(run, reporter="silent")
    model = ftkeras.TextRegressor.from_pretrained("bert-base-uncased", outputs=2)
    policy = ftkeras.policies.Layerwise(decay=0.9)
    ftkeras.regularizers.L2SP(strength=0.01).apply(model)
    optimizer = ftkeras.optimizers.AdamW(2e-5, multipliers=policy.multipliers(model))
    model.compile(optimizer, "mse")
    several = ftkeras.MultiLabelTextClassifier.from_pretrained("bert-base-uncased", labels=["a"])
    print(several.labels, several.predict(["a"]).shape)


def keras_models_of_other_problems() -> None:
    encoder = "bert-base-uncased"
    similarity = ftkeras.TextSimilarity.from_pretrained(encoder, returns="vectors")
    similarity.fit({"text": ["a"], "pair": ["b"]}, [0.5], epochs=2)
    print(similarity.embed(["a"]).shape, similarity.embedder().name)
    tagger = ftkeras.TokenClassifier.from_pretrained(encoder, ["O", "B-PER"], dropout=0.2)
    tagger.fit([["a", "b"]], [["O", "B-PER"]], sample_weight=[1.0])
    print(tagger.labels, tagger.predict_labels([["a", "b"]])[0], tagger.predict(["a b"]).shape)
    choice = ftkeras.MultipleChoice.from_pretrained(encoder, 4, activation="linear")
    print(choice.predict({"question": ["a"], "options": [["b", "c"]]}).argmax(axis=1))
    answerer = ftkeras.QuestionAnswerer.from_pretrained(encoder, no_answer=False)
    print(answerer.answers({"question": ["a"], "context": ["b"]})[0]["answer"])
