"""Compares finished runs on the same examples: figures, tests of pairs, and what follows."""

import logging
import string
from collections.abc import Sequence

import numpy as np

from ftkeras.config.measuring import CompareConfig
from ftkeras.errors import UserError
from ftkeras.reports import learning_curves
from ftkeras.runs import example_texts, reader
from ftkeras.runs.reader import Finished
from ftkeras.statistics import bootstrap, comparison, conclusions
from ftkeras.support import files

log = logging.getLogger(__name__)

RESULT, CURVES = "compare.json", "curves.png"
# Columns of a text, and of a way's settings in the picture, that are shown.
TEXT_COLUMNS, LABEL_COLUMNS = 72, 100


def run(config: CompareConfig) -> None:
    """`compare`: the tables, the sentences, compare.json and the learning curves."""
    output = files.require_writable(config.output, "output")
    read = [one for folder in config.folders for one in reader.read(folder, split=config.split)]
    reader.must_match(read)
    ways = reader.ways(read)
    if len(ways) > len(string.ascii_uppercase):
        raise UserError(f"compare tells 26 ways apart at most. Received: {len(ways)}.")
    result = compared(ways, config)
    show(result)
    files.write_json(output / RESULT, result)
    log.info(f"\ncompared  {output / RESULT}")
    try:
        labels = [f"{way['name']}  {_settings(way)}"[:LABEL_COLUMNS] for way in result["ways"]]
        if learning_curves.draw(output / CURVES, ways, labels):
            log.info(f"drawn     {output / CURVES}")
    except UserError as error:
        log.info(f"note: {error}")


def compared(ways: Sequence[Sequence[Finished]], config: CompareConfig) -> dict:
    """What compare.json says.

    Args:
        ways: the runs of each, all on the same examples.
        config: how sure it shall be.
    """
    names = string.ascii_uppercase[: len(ways)]
    split = "out-of-fold" if ways[0][0].folds is not None else config.split
    figures, pairs = comparison.compare(
        ways, names, resamples=config.resamples, seed=config.seed, confidence=config.confidence
    )
    told = zip(names, ways, reader.differences(ways), figures, strict=True)
    return {
        "split": split,
        "examples": len(ways[0][0].ids),
        "confidence": config.confidence,
        "bootstrap": {"resamples": config.resamples, "seed": config.seed, "ends": "percentiles"},
        "ways": [_way(*one) for one in told],
        "pairs": pairs,
        "conclusions": conclusions.sentences(
            ways, pairs, split=config.split, confidence=config.confidence
        ),
        "disagreements": disagreements(ways, names, config.disagreements),
    }


def disagreements(ways: Sequence[Sequence[Finished]], names: str, count: int) -> list[dict]:
    """The examples on which the probability of the true label differs most between ways."""
    first = ways[0][0]
    given = np.stack(
        [np.mean([one.predictions.true_probabilities for one in way], 0) for way in ways], 1
    )
    most = np.argsort(given.min(axis=1) - given.max(axis=1), kind="stable")[:count]
    ids = [first.ids[example] for example in most]
    try:
        found = example_texts.of_ids(first.config, ids) if ids else {}
    except UserError as error:
        log.info(f"note: no texts are shown: {error}")
        found = {}
    return [
        {
            "id": name,
            "label": first.names[first.predictions.labels[example]],
            "probability_of_label": dict(zip(names, given[example].tolist(), strict=True)),
            "text": found.get(name),
        }
        for name, example in zip(ids, most, strict=True)
    ]


def show(result: dict) -> None:
    """Prints the ways, their figures, the pairs, the conclusions and the disagreements."""
    for way in result["ways"]:
        log.info(f"{way['name']}  {_settings(way)}")
        log.info(f"   {', '.join(way['draws'])}: {' '.join(way['folders'])}")
    percent = f"{100 * result['confidence']:g} %"
    log.info(
        f"\non {result['examples']:,} {result['split']} examples, {percent} bootstrap intervals"
    )
    log.info(" " * 3 + "".join(f"{name:>24}" for name in bootstrap.METRICS))
    for way in result["ways"]:
        log.info(
            f"{way['name']:3}" + "".join(_interval(way["figures"][n]) for n in bootstrap.METRICS)
        )
    log.info(f"\n{'pair':8}{'accuracy, points':>24}{'p':>10}{'Holm p':>10}   test")
    for pair in result["pairs"]:
        apart = comparison.accuracy_difference(pair)
        value, low, high = (100 * apart[key] for key in ("value", "low", "high"))
        shown = f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"
        ps = "".join(f"{comparison.shown_p(pair[key]):>10}" for key in ("p_value", "p_value_holm"))
        log.info(f"{pair['second']} − {pair['first']:4}{shown:>24}{ps}   {_test(pair)}")
    if len(result["pairs"]) > 1:
        log.info("each interval is for its pair alone; Holm's p-values hold for all pairs together")
    print()
    for sentence in result["conclusions"]:
        log.info(f"- {sentence}")
    if result["disagreements"]:
        _show_disagreements(result["disagreements"])


def _show_disagreements(rows: Sequence[dict]) -> None:
    names = list(rows[0]["probability_of_label"])
    widths = [max(len(row[key]) for row in rows) + 2 for key in ("id", "label")]
    log.info("\nmost disagreed on, by the probability given to the true label")
    log.info(" " * sum(widths) + "".join(f"{name:>6}" for name in names))
    for row in rows:
        given = "".join(f"{value:6.2f}" for value in row["probability_of_label"].values())
        text = " ".join((row["text"] or "").split())
        cut = text if len(text) <= TEXT_COLUMNS else f"{text[: TEXT_COLUMNS - 1]}…"
        log.info(f"{row['id']:{widths[0]}}{row['label']:{widths[1]}}{given}  {cut}".rstrip())


def _way(name: str, runs: Sequence[Finished], settings: dict, figures: dict) -> dict:
    return {
        "name": name,
        "settings": settings,
        "folders": list(dict.fromkeys(run.folder for run in runs)),
        "draws": [run.draw for run in runs],
        "accuracies": [float(run.predictions.correct.mean()) for run in runs],
        "figures": figures,
    }


def _test(pair: dict) -> str:
    if (counts := pair["mcnemar"]) is None:
        return pair["test"]
    return (
        f"{pair['test']}: {counts['only_first']:,} right by {pair['first']} alone, "
        f"{counts['only_second']:,} by {pair['second']} alone"
    )


def _interval(figure: dict) -> str:
    if figure["value"] is None:
        return f"{'-':>24}"
    return f"{figure['value']:>10.4f} [{figure['low']:.3f}, {figure['high']:.3f}]".rjust(24)


def _settings(way: dict) -> str:
    return " ".join(f"--{name}={_shown(value)}" for name, value in way["settings"].items())


def _shown(value) -> str:
    return ",".join(value) or "none" if isinstance(value, tuple) else str(value)
