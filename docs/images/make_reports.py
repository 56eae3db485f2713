"""Train four models on real data, write their reports, and take pictures of them.

    python -m docs.images.make_reports FOLDER [--only=imdb]

FOLDER holds tfds (IMDb), conll2003, stsb, goemotions and all-MiniLM-L6-v2, and gets the runs, in
`runs`. Those that are there are not trained again. Each picture shows a part of a page at 1,280 or
390 pixels. `report-imdb.html` is the complete page of a run, without the texts of the data.
"""

import argparse
import base64
import pathlib
import re
import subprocess
import sys

from tests.serving.browser import browser

DOCS = pathlib.Path(__file__).resolve().parents[1]
COMMON = ("--encoder=all-MiniLM-L6-v2", "--track=csv", "--export=none", "--noreport")
# What each run is trained with, and how its page is written.
RUNS = {
    "imdb": (
        ["--task=imdb", "--data_dir=tfds", "--train_examples=1000", "--test_examples=1000",
         "--max_length=64", "--epochs=2", "--learning_rate=1e-4"],
        ["--explanations=20", r"--slice=negation=\b(not|never|no)\b"],
    ),
    "conll": (
        ["conll2003/train.txt", "--test_data=conll2003/valid.txt", "--train_examples=1000",
         "--test_examples=1500", "--max_length=64", "--epochs=3", "--learning_rate=3e-4"],
        [],
    ),
    "goemotions": (
        ["goemotions/train.tsv", "--validation_data=goemotions/dev.tsv",
         "--test_data=goemotions/test.tsv", "--label_names=goemotions/labels.txt",
         "--train_examples=3000", "--validation_examples=1000", "--test_examples=2000",
         "--max_length=48", "--policy=head_only", "--head=multi_label(pooling='mean')",
         "--epochs=20", "--learning_rate=5e-2"],
        ["--explanations=3"],
    ),
    "stsb": (
        ["--task=similarity(train='stsb/train.tsv', test='stsb/dev.tsv')",
         "--train_examples=1000", "--max_length=48", "--epochs=1", "--learning_rate=5e-5"],
        ["--slices=genre"],
    ),
}  # fmt: skip
# Pictures: run, the element at their top, width, height, whether dark.
PICTURES = {
    "imdb": ("imdb", "header", 1280, 1000, False),
    "imdb-phone": ("imdb", "#calibration", 390, 1000, True),
    "conll": ("conll", "#predictions", 1280, 720, False),
    "goemotions": ("goemotions", "#predictions", 1280, 900, False),
    "stsb": ("stsb", "#predictions", 1280, 640, False),
}
# Cells with texts of the data.
TEXT = re.compile(
    r'<td[^>]* data-title="(?:text|text of train|the most typical text)">.*?</td>', re.DOTALL
)
NO_TEXT = "<td>(a text of IMDb)</td>"


def main() -> None:
    """Do all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", choices=RUNS)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    for name, (train, write) in RUNS.items():
        if arguments.only in (None, name):
            run_dir = f"runs/{name}"
            if not (folder / run_dir / "exports.json").is_file():
                _call(folder, "train", *train, *COMMON, f"--run_dir={run_dir}")
            _call(folder, "report", f"--run_dir={run_dir}", *write)
            picture(folder, name)


def picture(folder: pathlib.Path, run: str) -> None:
    """Save the pictures of a run's page, and of IMDb's the page without texts."""
    path = folder / "runs" / run / "report.html"
    for title, (name, top, width, height, dark) in PICTURES.items():
        if name == run:
            output = DOCS / "images" / f"report-{title}.png"
            _photograph(path, top, width, height, dark, output)
    if run == "imdb":
        html = path.read_text(encoding="utf-8")
        html = TEXT.sub(NO_TEXT, html)
        (DOCS / "report-imdb.html").write_text(html, encoding="utf-8")


def _call(folder: pathlib.Path, verb: str, *flags: str) -> None:
    subprocess.run([sys.executable, "-m", "ftkeras.main", verb, *flags], cwd=folder, check=True)


def _photograph(
    path: pathlib.Path, top: str, width: int, height: int, dark: bool, output: pathlib.Path
) -> None:
    """Save a picture of a page from an element downwards, with at most 256 colours."""
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    with browser("--hide-scrollbars", *scheme) as window:
        window.resize(width, height)
        window.open(path.as_uri())
        window.run("document.querySelector('nav').style.position = 'static'")
        found = (
            "document.querySelector(arguments[0] + ' h2') || document.querySelector(arguments[0])"
        )
        window.run(f"scrollBy(0, ({found}).getBoundingClientRect().top - 24)", top)
        output.write_bytes(base64.b64decode(window.screenshot()))
    from PIL import Image

    with Image.open(output) as image:
        image.convert("RGB").quantize(128).save(output, optimize=True)


if __name__ == "__main__":
    main()
