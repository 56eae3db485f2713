"""ftkeras with its defaults except `--batching`."""

from turns import Turns, given

from ftkeras.cli import quiet

quiet.import_tensorflow()

import keras  # noqa: E402

from ftkeras.config.run import Config  # noqa: E402
from ftkeras.data.feed import OrderedFeed  # noqa: E402
from ftkeras.data.splits import open_splits  # noqa: E402
from ftkeras.experiment import build, feeds, optimization  # noqa: E402
from ftkeras.training import epochs  # noqa: E402


def main() -> None:
    asked = given()
    turns = Turns(asked["steps"])
    scratch = (
        f"bert(vocabulary={asked['vocabulary']!r}, layers={asked['layers']}, "
        f"hidden={asked['hidden']}, heads={asked['heads']})"
    )
    file = asked["reviews"]
    config = Config(
        task=f"classification(train={file!r}, validation={file!r}, test={file!r})",
        encoder=asked["checkpoint"] or scratch,
        batching=asked["variant"],
        max_length=asked["max_length"],
        batch_size=asked["batch_size"],
        learning_rate=5e-5,
        epochs=1000,
        cache_dir="none",
    )
    experiment = build.experiment(config)
    with open_splits(config, experiment.task, experiment.text_layer) as splits:
        if asked["predict"]:
            batching = feeds.batching(config, pad_id=experiment.model.pad_id)
            feed = OrderedFeed(splits.test, batching)
        else:
            feed = feeds.training_feed(experiment, splits)
        collate = feed.batching.collate

        def watched(examples, positions):
            arrays = collate(examples, positions)
            lengths = examples.lengths[positions[positions >= 0]].tolist()
            turns.add_batch(lengths, computed=arrays["token_ids"].size)
            return arrays

        feed.batching.collate = watched
        if asked["predict"]:
            done = keras.callbacks.LambdaCallback(
                on_predict_batch_end=lambda batch, logs: turns.step_done()
            )
            experiment.model.predict(
                feed.dataset().repeat(), steps=10**6, verbose=0, callbacks=[done]
            )
        optimization.compile_to_train(experiment, total_steps=len(feed) * config.epochs)
        step_done = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: (float(logs["loss"]), turns.step_done())
        )
        epochs.fit(experiment.model, feed, epochs=config.epochs, callbacks=[step_done])


if __name__ == "__main__":
    main()
