r"""Compare the default learning rate and epochs with a grid of both.

    python benchmarks/defaults.py --shared=../shared/data --out=defaults.jsonl \
        --encoder=…/all-MiniLM-L6-v2 --settings agnews_360 sst2_3000 \
        --rates auto 5e-5 1e-4 2e-4 4e-4 --epochs auto 3 5 10 --seeds 0 1 2

Every run calls `train` in this process, without export, on a sample of a dataset. Results are
appended to `--out` as they arrive, and runs that are already in it are skipped. The grid is
searched with the first seed: four rates and three numbers of epochs make a search of 12 trials, and
the trial with the best validation accuracy wins, as in `tune`. The winner and the defaults (`auto`
for both) are then run with all seeds. At the end, the script prints the mean test accuracy of both
for each setting.

`--layers=4` truncates the encoder to its first layers, as a stand-in for a smaller checkpoint.
"""

import argparse
import csv
import itertools
import json
import logging
import pathlib
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import keras
from safetensors import numpy

from ftkeras.config import flagfile
from ftkeras.config.fields import AUTO
from ftkeras.config.run import Config
from ftkeras.verbs import train

Point = tuple[str, str]  # a learning rate and a number of epochs
WEIGHTS = "model.safetensors"
AGNEWS = {
    "data": ("agnews/agnews.csv",),
    "text_column": "1,2",
    "label_column": "0",
    "header": False,
    "max_length": 64,
    "test_share": 0.3,
    "test_examples": 600,
}
MRPC = {
    "data": ("mrpc/train.tsv",),
    "test_data": ("mrpc/dev.tsv",),
    "text_column": "#1 String",
    "pair_column": "#2 String",
    "label_column": "Quality",
    "max_length": 64,
}
SETTINGS = {
    "agnews_360": {**AGNEWS, "train_examples": 360, "validation_examples": 120},
    "agnews_2000": {**AGNEWS, "train_examples": 2000, "validation_examples": 300},
    "sst2_3000": {
        "data": ("sst2/train.tsv",),
        "test_data": ("sst2/dev.tsv",),
        "text_column": "sentence",
        "label_column": "label",
        "max_length": 64,
        "train_examples": 3000,
        "validation_examples": 300,
    },
    "mrpc": MRPC,
    "mrpc_1000": {**MRPC, "train_examples": 1000, "validation_examples": 150},
    "imdb_1000": {
        "task": "imdb",
        "data_dir": "tfds",
        "max_length": 128,
        "train_examples": 1000,
        "validation_examples": 200,
        "test_examples": 500,
    },
}


def main() -> None:
    """Run the missing trials, then print the table."""
    asked = _arguments()
    out = pathlib.Path(asked.out)
    rows = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    logging.getLogger("ftkeras").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        encoder = _truncated(asked.encoder, asked.layers, pathlib.Path(folder))
        for setting in asked.settings:
            for point, seed in _runs(asked, setting, rows):
                key = _key(asked, setting, point, seed)
                if _find(rows, key):
                    continue
                rows.append({**key, **_measure(asked, encoder, key, pathlib.Path(folder) / "run")})
                with out.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
                print(json.dumps(rows[-1]), flush=True)
    print(table(rows))


def _runs(asked: argparse.Namespace, setting: str, rows: list[dict]) -> Iterator[tuple[Point, int]]:
    """Yield points and seeds: the search, the defaults, then the winner of the search.

    The winner is looked for in `rows` when the search is over.
    """
    first, *others = asked.seeds
    grid = [p for p in itertools.product(asked.rates, asked.epochs) if AUTO not in p]
    for point in grid:
        yield point, first
    if (AUTO, AUTO) in itertools.product(asked.rates, asked.epochs):
        for seed in asked.seeds:
            yield (AUTO, AUTO), seed
    if grid:
        found = [_find(rows, _key(asked, setting, point, first)) for point in grid]
        won = max((row for row in found if row), key=_rank)
        for seed in others:
            yield (won["rate"], won["epochs"]), seed


def _key(asked: argparse.Namespace, setting: str, point: Point, seed: int) -> dict[str, Any]:
    return {
        "setting": setting,
        "encoder": _name(asked.encoder),
        "layers": asked.layers,
        "rate": point[0],
        "epochs": point[1],
        "seed": seed,
        **({"max_length": asked.max_length} if asked.max_length else {}),
        **({"policy": asked.policy} if asked.policy else {}),
    }


def _name(encoder: str) -> str:
    return encoder if "(" in encoder else pathlib.Path(encoder).name


def _find(rows: list[dict], key: dict) -> dict | None:
    return next((row for row in rows if key.items() <= row.items()), None)


def _rank(row: dict) -> tuple[float, float]:
    """Return the key by which a search ranks its trials: validation accuracy, then loss."""
    return row["validation"], -row["validation_loss"]


def table(rows: list[dict]) -> str:
    """Return a line for each setting and encoder: the defaults and the best point of the grid."""
    settings: dict[str, dict[tuple, list[dict]]] = {}
    for row in rows:
        about = [str(row[name]) for name in ("setting", "encoder")]
        about += [
            f"{name}={row[name]}" for name in ("layers", "max_length", "policy") if row.get(name)
        ]
        points = settings.setdefault(" ".join(about), {})
        points.setdefault((row["rate"], row["epochs"]), []).append(row)
    lines = []
    for setting, points in settings.items():
        default = points.pop((AUTO, AUTO), None)
        seed = min((run["seed"] for runs in points.values() for run in runs), default=None)
        firsts = {p: run for p, runs in points.items() for run in runs if run["seed"] == seed}
        best = points[max(firsts, key=lambda point: _rank(firsts[point]))] if firsts else None
        lines.append(f"{setting}: defaults {_cell(default)}; best {_cell(best)}")
    return "\n".join(lines)


def _cell(runs: list[dict] | None) -> str:
    if runs is None:
        return "not measured"
    test = [run["test"] for run in runs]
    spread = f" ± {statistics.stdev(test):.4f}" if len(test) > 1 else ""
    first = runs[0]
    return (
        f"{_mean(runs, 'test'):.4f}{spread} (rate {first['used_rate']:.1e}, "
        f"{first['used_epochs']} epochs, {len(runs)} seeds)"
    )


def _mean(runs: list[dict], name: str) -> float:
    return statistics.mean(run[name] for run in runs)


def _measure(
    asked: argparse.Namespace, encoder: str, key: dict, run_dir: pathlib.Path
) -> dict[str, object]:
    keras.utils.clear_session()
    setting = dict(SETTINGS[key["setting"]])
    for name in ("data", "test_data"):
        if name in setting:
            setting[name] = tuple(f"{asked.shared}/{path}" for path in setting[name])
    if "data_dir" in setting:
        setting["data_dir"] = f"{asked.shared}/{setting['data_dir']}"
    if asked.max_length:
        setting["max_length"] = asked.max_length
    if asked.policy:
        setting["policy"] = (asked.policy,)
    if key["rate"] != AUTO:
        setting |= {"learning_rate": float(key["rate"]), "epochs": int(key["epochs"])}
    config = Config(
        **setting,
        encoder=encoder,
        seed=key["seed"],
        run_dir=str(run_dir),
        restart=True,
        export=("none",),
        report=False,
        checkpoint_every="0",
    )
    start = time.process_time()
    metrics = train.run(config).metrics
    used = flagfile.read(run_dir / "run.cfg", Config)
    history = list(csv.DictReader((run_dir / "history.csv").read_text().splitlines()))
    return {
        "used_rate": used.learning_rate,
        "used_epochs": used.epochs,
        "test": metrics["test"]["accuracy"],
        "test_loss": metrics["test"]["loss"],
        "validation": metrics["validation"]["accuracy"],
        "validation_loss": metrics["validation"]["loss"],
        "best_epoch": metrics["train"]["best_epoch"],
        "steps": metrics["train"]["steps"],
        "tokens_per_second": metrics["train"]["tokens_per_second"],
        "cpu_seconds": round(time.process_time() - start, 1),
        "losses": [round(float(row["loss"]), 4) for row in history],
        "validations": [round(float(row["val_accuracy"]), 4) for row in history],
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", required=True, help="folder of the datasets")
    parser.add_argument("--encoder", required=True, help="folder of a checkpoint")
    parser.add_argument("--layers", type=int, help="truncate it to its first layers")
    parser.add_argument("--max_length", type=int, help="instead of the settings' own")
    parser.add_argument("--policy", help="instead of full")
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=SETTINGS)
    parser.add_argument("--rates", nargs="+", default=["auto", "5e-5", "1e-4", "2e-4", "4e-4"])
    parser.add_argument("--epochs", nargs="+", default=["auto", "3", "5", "10"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", default="defaults.jsonl")
    return parser.parse_args()


def _truncated(encoder: str, layers: int | None, folder: pathlib.Path) -> str:
    """Return the folder of the encoder with fewer layers."""
    if layers is None:
        return encoder
    copy = folder / "encoder"
    copy.mkdir()
    for path in pathlib.Path(encoder).iterdir():
        if path.name not in ("config.json", WEIGHTS):
            (copy / path.name).symlink_to(path.resolve())
    tensors = numpy.load_file(pathlib.Path(encoder) / WEIGHTS)
    kept = {name: value for name, value in tensors.items() if _layer(name) < layers}
    numpy.save_file(kept, copy / WEIGHTS)
    config = json.loads((pathlib.Path(encoder) / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "num_hidden_layers": layers}))
    return str(copy)


def _layer(tensor: str) -> int:
    """Return the number of the layer that a tensor belongs to, or -1 if it belongs to none."""
    found = re.search(r"\blayer\.(\d+)\.", tensor)
    return -1 if found is None else int(found[1])


if __name__ == "__main__":
    main()
