"""The page beside its answers: files, thresholds, examples and the model card."""

import base64
import csv
import hashlib
import io
import json
import random
import re
import shutil
import time

import pytest
import requests

from ftkeras.errors import UserError
from ftkeras.problems.multi_label import MultiLabel
from ftkeras.runs import exported, layout, samples
from ftkeras.serving.page import examples
from tests.pages import finished_runs
from tests.serving.browser import browser
from tests.serving.live import live

CARD = """# tiny: a text classifier

It is <script>alert(1)</script> `fast`.

| metric | test |
|---|---|
| accuracy | 0.9 |

[bad](javascript:alert(1)) {{settings}}
"""
TEXTS = ["good", 'a "bad" film\nwith </script> in it', "good, bad"]
# Quotation marks, separators and line breaks inside fields; a short row; a blank line.
TABLE = 'id;comment;predicted\r\n1;"good; ""very""\r\ngood";x\r\n\r\n2;bad, bad;y\r\n3;Zoë\r\n'


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """Return the folder of a run with samples."""
    folder = tmp_path_factory.mktemp("run")
    rows = [{"label": "positive", "predicted": "positive", "probabilities": [0.1, 0.9]}] * 3
    finished_runs.write(folder, ["negative", "positive"], rows, {"test": {}})
    lines = [{"id": f"test-{n}", **row} for n, row in enumerate(rows)]
    samples.write(folder, lines, [{"text": text.encode()} for text in TEXTS])
    return folder


@pytest.fixture(scope="module")
def folder(tiny_model, run_dir, tmp_path_factory):
    """Return the folder of a version with a card, and columns of its texts."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    shutil.copytree(tiny_model / "2", folder / "2")
    (folder / "2" / layout.MODEL_CARD).write_text(CARD)
    (folder / "2" / layout.INPUTS).write_text(json.dumps({"text": ["comment"]}))
    exported.record(folder / "2", {"run": exported.path_to_run(folder / "2", run_dir)})
    return folder


@pytest.fixture(scope="module")
def served_run(folder):
    """Serve that version."""
    with live(folder) as server:
        yield server


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    """Return the folder of downloaded files."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def page(served_run, downloads):
    """Open the page."""
    with browser(downloads=downloads) as window:
        window.resize(390, 900)
        window.open(f"{served_run.url}/")
        window.wait("document.title.startsWith('tiny')")
        yield window


def _settings(html: str) -> dict:
    (written,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', html)
    return json.loads(written)


def test_only_the_page_s_script_can_run(served_run):
    answer = served_run.get("")
    policy = answer.headers["Content-Security-Policy"]
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    assert re.findall(r"script-src 'sha256-([^']*)'", policy) == digests
    assert "script-src 'unsafe-inline'" not in policy


def test_card_is_html_whose_own_html_is_text(served_run):
    html = served_run.get("").text
    assert "<h1>tiny: a text classifier</h1>" in html
    assert "<td>accuracy</td>" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; <code>fast</code>" in html
    assert "[bad](javascript:alert(1)) {{settings}}" in html
    assert _settings(html)["has_card"]


def test_examples_are_those_of_the_run_that_wrote_the_model(served_run):
    settings = _settings(served_run.get("").text)
    assert [one["text"] for one in settings["examples"]] == TEXTS
    assert {one["truth"] for one in settings["examples"]} == {"positive"}
    assert settings["examples_of"] == "the run's test data"
    assert settings["columns"] == {"text": ["comment"], "pair": []}


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        *((host, True) for host in ("localhost:8501", "localhost", "127.0.0.1:1", "[::1]:8501")),
        *((host, False) for host in ("evil.org:8501", "localhost.evil.org", "", "[::1", "a@b")),
    ],
)
def test_examples_are_not_read_under_a_strange_name(served_run, run_dir, folder, host, shown):
    answer = requests.get(f"{served_run.url}/", headers={"Host": host}, timeout=30)
    assert bool(_settings(answer.text)["examples"]) == shown
    assert _find(folder, str(run_dir)).are_for(host)  # the owner offers them to everyone


def _find(folder, wanted=None, host="127.0.0.1"):
    return examples.find(wanted, folder / "2", host=host)


def test_examples_are_not_shown_to_other_machines_or_against_the_owner_s_will(folder, run_dir):
    assert len(_find(folder).texts) == 3
    assert "examples=none hides them" in _find(folder).message
    assert not _find(folder, "none").texts
    opened = _find(folder, host="0.0.0.0")
    assert not opened.texts
    assert "host=0.0.0.0 is open to other machines" in opened.message
    assert len(_find(folder, str(run_dir), host="0.0.0.0").texts) == 3
    report = run_dir / layout.REPORT_FIGURES
    report.write_text(json.dumps({"errors": {"texts": False}}))
    assert not _find(folder).texts
    assert "without texts" in _find(folder).message
    report.unlink()
    with pytest.raises(UserError, match="is not a finished run"):
        _find(folder, str(folder))


def test_examples_need_the_run(tiny_model):
    assert "the run that wrote the model is not there" in _find(tiny_model).message


def test_example_is_answered_with_its_truth(page):
    page.run(
        "const s = document.querySelector('#examples'); s.value = 1;"
        "s.dispatchEvent(new Event('change'))"
    )
    page.wait("document.querySelector('#label').textContent === 'negative'")
    assert page.run("return document.querySelector('#text').value") == TEXTS[1]
    truth = page.run("return document.querySelector('#truth').textContent")
    assert truth == "True answer: positive"


def test_threshold_of_two_classes_decides(page):
    page.type("#text", "good")
    page.click("#send")
    page.wait("document.querySelector('#label').textContent === 'positive'")
    page.run(
        "const d = document.querySelector('#thresholds'); d.open = true;"
        "const r = d.querySelector('input'); r.value = 0.8; r.dispatchEvent(new Event('input'))"
    )
    label = "return document.querySelector('#label').textContent"
    assert page.run(label) == "negative"  # 73.1 % is less
    assert page.run("return document.querySelector('#score').textContent") == "26.9 % probability"
    page.click("#reset")
    assert page.run(label) == "positive"


def _answer(page, downloads, table: str | bytes, name: str) -> list[list[str]]:
    """Upload a table, and return the rows of the downloaded one."""
    path = downloads / f"own-{name}"
    path.write_bytes(table if isinstance(table, bytes) else table.encode())
    page.run("document.querySelector('#file-panel').open = true")
    page.run("document.querySelector('#progress-text').textContent = ''")
    page.upload("#file", path)
    page.wait("!document.querySelector('#file-settings').hidden")
    page.click("#answer-file")
    page.wait("document.querySelector('#progress-text').textContent.includes('are answered')")
    answered = downloads / f"{path.stem}-answers{path.suffix}"
    for _ in range(100):
        if answered.is_file():
            break
        time.sleep(0.05)
    text = answered.read_bytes().decode("utf-8-sig")
    delimiter = page.run("return document.querySelector('#delimiter').value")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_file_is_answered_row_by_row(page, downloads):
    header, *rows = _answer(page, downloads, TABLE, "table.csv")
    probabilities = ["probability_negative", "probability_positive"]
    assert header == ["id", "comment", "predicted", "predicted_2", *probabilities]
    kept, found = [row[:3] for row in rows], [row[3] for row in rows]
    assert kept == [
        ["1", 'good; "very"\r\ngood', "x"],
        ["2", "bad, bad", "y"],
        ["3", "Zoë", ""],
    ]
    assert found == ["positive", "negative", "negative"]
    assert float(rows[0][5]) == pytest.approx(0.8807971, abs=1e-6)
    notes = page.run("return document.querySelector('#file-notes').textContent")
    assert notes.startswith(
        "3 rows, 3 columns, UTF-8. 1 rows do not have 3 fields; the first is in line 6"
    )
    assert not page.run("return document.querySelector('#pair-column').offsetHeight")
    chosen = page.run("return document.querySelector('#text-column').selectedOptions[0].text")
    assert chosen == "comment"


def test_file_of_many_rows_is_answered_in_order_with_moved_thresholds(page, downloads):
    page.run(
        "const r = document.querySelector('#sliders input'); r.value = 0.95;"
        "r.dispatchEvent(new Event('input'))"
    )
    lines = [f"{'good ' * (n % 5)}{n}" for n in range(300)]
    rows = _answer(page, downloads, "\n".join(lines).encode("utf-16"), "lines.txt")
    page.run("resetThresholds()")
    assert rows[0][:2] == ["column 0", "predicted"]
    assert [row[0] for row in rows[1:]] == lines
    # The log-odds are the number of "good"; 0.95 is 2.94.
    wanted = ["positive" if n % 5 >= 3 else "negative" for n in range(300)]
    assert [row[1] for row in rows[1:]] == wanted


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('a,b\n1,"open\n', "opens a field of the row in line 2 is never closed"),
        ("", "has no rows"),
        ("PK\0\0", "is not a text file"),
        ("comment\n", "has no rows below its first one"),
    ],
)
def test_file_that_can_not_be_read_is_refused(page, downloads, content, message):
    path = downloads / f"bad-{abs(hash(content))}.csv"
    path.write_text(content)
    page.upload("#file", path)
    page.wait(f"document.querySelector('#file-error').textContent.includes({json.dumps(message)})")


@pytest.mark.process
def test_labels_are_written_as_predict_writes_them(served_decisions, downloads):
    problem = MultiLabel(labels=("nice", "nasty", "long"))
    problem.override_threshold("nice=0.6,nasty=0.3,long=0.9")
    with browser(downloads=downloads) as window:
        window.open(f"{served_decisions.url}/")
        window.wait("document.title.startsWith('moods')")
        texts = ["good good", "bad", "a film"]
        header, *rows = _answer(window, downloads, "\n".join(["text", *texts]), "moods.csv")
        assert header == ["text", *problem.answer_columns()]
        instances = {"instances": texts}
        answers = served_decisions.post("moods:predict", instances).json()["predictions"]
        for text, answer, row in zip(texts, answers, rows, strict=True):
            outputs = {**answer, "labels": [name.encode() for name in answer["labels"]]}
            assert row == [text, *map(_cell, problem.answer_cells(problem.answer(outputs)))]
        window.run(
            "moved = [0, 0.2, 0.9]; document.querySelectorAll('#sliders input').forEach((r, n) => {"
            " r.value = moved[n]; r.dispatchEvent(new Event('input')) })"
        )
        _, *rows = _answer(window, downloads, "\n".join(["text", *texts]), "moods.tsv")
        assert [row[1] for row in rows] == ["nice", "nasty,nice", "nice,nasty"]


def _cell(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.7g}"


@pytest.mark.process
def test_spans_and_entities_are_written_as_columns(served_answers, served_entities, downloads):
    with browser(downloads=downloads) as window:
        window.open(f"{served_answers.url}/")
        window.wait("document.title.startsWith('facts')")
        table = "q,context\nWho?,it is what Anna sings all day\nWho?,nobody at all sings here\n"
        header, *rows = _answer(window, downloads, table, "facts.csv")
        spans = ["predicted", "predicted_start", "predicted_end"]
        assert header[2:] == [*spans, "score", "null_score_diff"]
        assert [row[2:5] for row in rows] == [["Anna", "11", "15"], ["", "", ""]]
        window.open(f"{served_entities.url}/")
        window.wait("document.title.startsWith('names')")
        _, row = _answer(window, downloads, "text\nso Anna sings\n", "names.csv")
        assert json.loads(row[1]) == [
            {"type": "PER", "text": "Anna", "start": 3, "end": 7, "score": 0.5}
        ]


def test_file_above_the_limits_is_refused(page, downloads):
    hint = page.run("return document.querySelector('#file-hint').textContent")
    assert hint.startswith("Up to 20 MB and 20,000 rows.")
    path = downloads / "many.csv"
    path.write_text("text\n" + "a\n" * 20_001)
    page.upload("#file", path)
    page.wait("document.querySelector('#file-error').textContent.includes('at most 20,000')")


def test_tables_are_those_of_python_s_csv_module(page):
    rng, letters = (
        random.Random(0),
        ['"', ",", ";", "\n", "\r\n", "\r", " ", "a", "é", "🙂", "\t", ""],
    )
    for _ in range(60):
        delimiter = rng.choice(",;\t|")
        rows = [
            ["x", *("".join(rng.choices(letters, k=rng.randint(0, 6))) for _ in range(3))]
            for _ in range(rng.randint(1, 5))
        ]
        # With "\n", Python leaves a field with "\r" without quotation marks.
        end, quoting = rng.choice([("\r\n", csv.QUOTE_MINIMAL), ("\n", csv.QUOTE_ALL)])
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
        read = "return parseTable(arguments[0], arguments[1]).map(({cells}) => cells)"
        assert page.run(read, text.getvalue(), delimiter) == rows
        write = "return writeTable(arguments[0], arguments[1], '\\n')"
        written = page.run(write, rows, delimiter)
        assert list(csv.reader(io.StringIO(written, newline=""), delimiter=delimiter)) == rows


def test_page_fits_a_phone_with_everything_open(page):
    page.run("for (const d of document.querySelectorAll('details')) d.open = true")
    assert page.run("return document.documentElement.scrollWidth") <= 390
    unnamed = "[...document.querySelectorAll('select, input')].filter(f => !f.labels.length).length"
    assert page.run(f"return {unnamed}") == 0
    assert [line for line in page.log() if "Content Security" in line] == []
