"""The page of a run as a file: complete, self-contained and safe."""

import html.parser
import json
import sys
import warnings
from xml.etree import ElementTree

import pytest

from ftkeras.errors import UserError
from ftkeras.figures import style
from ftkeras.figures.parts import Facts, Marked, Missing, Notice, Plot, Section, Table, Text
from ftkeras.pages import page, report, run_view, summary, words
from tests.pages import finished_runs

VOID = {"meta", "input", "br", "path", "use", "rect", "line"}


class Parser(html.parser.HTMLParser):
    """Collects elements, and checks that each is closed in its turn."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the view of a classifier's run whose page has been written."""
    view = finished_runs.classes(tmp_path_factory.mktemp("run"), ["no", finished_runs.HOSTILE])
    report.write(view)
    return view


def test_page_is_one_file_that_loads_nothing(run):
    text = (run.folder / "report.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 3e6
    elements = Parser(text).elements
    loading = [v for _, a in elements for n, v in a.items() if n in ("src", "href", "xlink:href")]
    assert loading
    assert all(value.startswith("#") for value in loading)
    assert "@import" not in text
    assert "url(" not in text.replace("url(#", "")
    assert "default-src 'none'" in text


def test_ids_are_unique(run):
    elements = Parser((run.folder / "report.html").read_text(encoding="utf-8")).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_hostile_label_is_text(run):
    text = (run.folder / "report.html").read_text(encoding="utf-8")
    scripts = [tag for tag, _ in Parser(text).elements if tag == "script"]
    assert len(scripts) == 1
    assert "alert(" in text
    assert "<script>alert" not in text


def test_hostile_texts_are_text():
    hostile = finished_runs.HOSTILE
    table = Table("texts", hostile, ["text", hostile], [[hostile, Marked([(hostile, 0.5)])]])
    parts = [Text(hostile), Notice(hostile), table]
    text = page.html(hostile, hostile, [Section(hostile, "texts", parts)], {})
    assert len([tag for tag, _ in Parser(text).elements if tag == "script"]) == 1


def test_only_rows_with_long_texts_have_titles_for_phones():
    tables = [Table(name, name, ["id", "text"], [["a", text]]) for name, text in
              (("brief", "b"), ("long", "b " * 50))]  # fmt: skip
    html = page.html("t", "s", [Section("S", "s", tables)], {})
    brief, long = html.split('id="table-')[1:]
    assert "data-title" not in brief
    assert 'data-title="id">a</td>' in long
    assert 'data-title="text">b b' in long


def test_long_table_is_read_as_often_as_a_short_one():
    class Rows(list):
        reads = 0

        def __iter__(self):
            self.reads += 1
            return super().__iter__()

    short, long = (Rows([["a", number] for number in range(count)]) for count in (2, 50))
    for rows in (short, long):
        table = Table("t", "t", ["name", "number"], rows)
        page.html("t", "s", [Section("S", "s", [table])], {})
    assert long.reads == short.reads


def test_page_about_other_data_has_no_numbers_of_the_runs_own_test(tmp_path):
    own = finished_runs.classes(tmp_path, ["no", "yes"], examples=50)
    unread = {"full_length": 5, "unknown_share": 0.1}
    metrics = {**own.metrics, "read": {"train": unread, "validation": unread, "test": unread}}
    metrics["data"]["in_train_and_test"] = 3
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    (tmp_path / "metrics-later.json").write_text(json.dumps({"test": {}, "data": {"test": 5}}))
    (tmp_path / "predictions.jsonl").rename(tmp_path / "predictions-later.jsonl")
    view = run_view.read(tmp_path, finished_runs.NoTexts(""), name="later", baseline=False)
    (facts,) = [part for part in summary.section(view).parts if isinstance(part, Facts)]
    assert facts.facts["Examples"] == "60 train, 5 test"
    assert "Leakage" not in facts.facts
    table = words.section(view).parts[-1]
    assert table.rows == [["train", 60, 5 / 60, 0.1]]


@pytest.fixture
def draw(monkeypatch):
    """Return a function that draws a plot with a label, with given fonts besides Matplotlib's."""

    def draw(label, fallbacks=()):
        monkeypatch.setattr(style, "FALLBACKS", fallbacks)
        return style.draw(Plot("p", "t", lambda figure: figure.suptitle(label), "alt"))

    style.say_once.cache_clear()
    return draw


def test_characters_without_a_glyph_are_one_line(draw, caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "太好了" in draw("太好了").svg
        draw("हिन्दी")
    (line,) = caplog.messages
    assert "Install a font such as Noto Sans CJK" in line


def test_no_font_is_asked_for_that_has_control_characters(draw, caplog):
    draw("a\x07b\tc")
    assert caplog.messages == []


def test_an_installed_font_draws_what_matplotlibs_own_lacks(draw, caplog):
    label = "\ue000"  # in a font that comes with Matplotlib
    assert draw(label, ("No Such Font", "STIXNonUnicode")).png != draw(label, ()).png
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("label", ["a\x01b", "a\x1b[2J", "a\ufffe"])
def test_a_label_with_control_characters_is_valid_xml(draw, label):
    texts = ElementTree.fromstring(draw(label).svg).itertext()
    assert "a�" in "".join(texts)


def test_plots_and_numbers_are_saved_beside_the_page(run):
    names = {path.name for path in (run.folder / "report").iterdir()}
    assert {"loss_by_epoch.png", "loss_by_epoch.svg", "accuracy_by_epoch.png"} <= names
    figures = json.loads((run.folder / "report.json").read_text())
    assert figures["training"]["history"][1]["val_loss"] == 0.35
    accuracy = figures["summary"]["metrics"][0]
    assert accuracy["value"] == pytest.approx(run.measured["accuracy"])
    assert accuracy["95 % interval, from"] < accuracy["value"] < accuracy["to"]


def test_page_of_a_run_without_predictions_says_so(tmp_path):
    view = finished_runs.classes(tmp_path, ["no", "yes"])
    for name in ("predictions.jsonl", "history.csv"):
        (tmp_path / name).unlink()
    text = report.write(view).read_text(encoding="utf-8")
    assert "predictions.jsonl can&#39;t be read" in text
    assert "Learning curves:</strong> the run&#39;s folder has no history.csv" in text


def test_section_that_fails_is_replaced(tmp_path, monkeypatch, caplog):
    def fails(view):
        raise ZeroDivisionError("by chance")

    monkeypatch.setattr(report, "SECTIONS", (fails, *report.SECTIONS))
    view = finished_runs.classes(tmp_path, ["no", "yes"])
    first, *others = report.sections(view)
    (part,) = first.parts
    assert part == Missing("This section", "failed: ZeroDivisionError('by chance')")
    assert others[0].title == "Summary"
    assert "failed" in caplog.text


def test_without_jinja2_one_line_says_what_to_install(tmp_path, monkeypatch, caplog):
    view = finished_runs.classes(tmp_path, ["no", "yes"])
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UserError, match=r"pip install 'ftkeras\[report\]'"):
        report.write(view)
    caplog.set_level("INFO", "ftkeras")
    report.write_if_installed(view)  # what train does
    assert "report  not written: pages need matplotlib and jinja2" in caplog.text
