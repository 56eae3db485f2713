"""The page at /, in a real browser."""

import pytest

from tests.serving.browser import browser

SPANS = "[...document.querySelectorAll('#words span')]"
WEIGHTS = f"return {SPANS}.map(s => [s.textContent, parseFloat(s.title.split(': ')[1])])"


@pytest.fixture(scope="module")
def page(served):
    """Open the page, and wait until it has read the model's metadata."""
    with browser("--window-size=420,800") as window:
        window.open(f"{served.url}/")
        window.wait("document.title.startsWith('tiny')")
        yield window


def _ask(page, text: str) -> None:
    page.type("#text", text)
    page.click("#send")
    page.wait("document.querySelector('#words').getAttribute('aria-busy') === 'false'")


def test_page_shows_label_probabilities_and_the_weight_of_each_word(page):
    page.run("document.querySelector('#answer').hidden = true")
    _ask(page, "a good film, not bad, good")
    assert page.run("return document.querySelector('#label').textContent") == "positive"
    table = page.run("return document.querySelector('#probabilities').innerText").split()
    assert table == ["positive", "73.1", "%", "negative", "26.9", "%"]
    weights = dict(page.run(WEIGHTS))
    assert weights["good"] == pytest.approx(1, abs=0.01)  # in log odds
    assert weights["bad,"] == pytest.approx(-1, abs=0.01)
    assert weights["film,"] == pytest.approx(0, abs=0.01)


def test_markup_in_a_text_is_shown_as_text(page):
    _ask(page, "good <img/src=x/onerror=document.title='gone'>")
    assert page.run("return document.querySelectorAll('#words img').length") == 0
    assert page.run("return document.title") == "tiny: try the model"


def test_empty_text_is_answered(page):
    _ask(page, "")
    assert (
        page.run("return document.querySelector('#words').textContent") == "The text has no words."
    )


def test_long_text_is_explained_in_pieces(page):
    page.run("document.querySelector('#text').value = 'good bad '.repeat(2000)")
    page.click("#send")
    page.wait("document.querySelector('#words').textContent.length > 10000")
    assert page.run(f"return {SPANS}.length") <= 96


def test_error_is_shown_and_announced(page):
    page.run("document.querySelector('#text').value = 'good '.repeat(50000)")
    page.click("#send")
    page.wait("document.querySelector('#error').textContent.includes('200,000 bytes')")
    assert page.run("return document.querySelector('#error').getAttribute('role')") == "alert"


def test_page_fits_a_phone_and_every_field_has_a_label(page):
    _ask(page, "good " + "a" * 200)
    assert page.run("return document.documentElement.scrollWidth <= window.innerWidth")
    unnamed = "[...document.querySelectorAll('textarea')].filter(t => !t.labels.length).length"
    assert page.run(f"return {unnamed}") == 0
    assert page.run("return document.documentElement.lang") == "en"


def test_nothing_is_loaded_from_other_servers(page, served):
    names = page.run("return performance.getEntriesByType('resource').map(e => e.name)")
    assert names
    assert all(name.startswith(served.url) for name in names)
    assert [line for line in page.log() if "413" not in line] == []


def test_numbers_are_shown_with_what_each_word_adds(served_numbers):
    with browser("--window-size=420,800") as window:
        window.open(f"{served_numbers.url}/")
        window.wait("document.title.startsWith('scores')")
        _ask(window, "a good film, not bad, good")
        shown = "return document.querySelector('#answer').innerText"
        lines = [line for line in window.run(shown).splitlines() if line.strip()]
        weights = dict(window.run(WEIGHTS))
        assert weights["good"] == pytest.approx(1, abs=0.01)
        assert weights["bad,"] == pytest.approx(-1, abs=0.01)
        assert "raises score" in window.run(shown)
        assert "lowers score" in window.run(shown)
        assert window.run(f"return {SPANS}[1].title").startswith("raises score: 1")
        if "price" in window.run(shown):
            table = window.run("return document.querySelector('#probabilities').innerText").split()
            assert table == ["score", "4", "price", "-4"]
        else:
            assert lines[0].split() == ["4", "score"]
            assert not window.run("return document.querySelector('#table').offsetHeight")


@pytest.mark.process
def test_labels_that_reach_their_thresholds_are_shown_with_them(served_decisions):
    with browser("--window-size=420,800") as window:
        window.open(f"{served_decisions.url}/")
        window.wait("document.title.startsWith('moods')")
        _ask(window, "a good film, so good")
        label = "return document.querySelector('#label').textContent"
        assert window.run(label) == "nice"
        rows = "[...document.querySelectorAll('#probabilities tr')]"
        assert window.run(f"return {rows}.map(row => row.textContent)") == [
            "nice88.1 %, threshold 60.0 %",
            "long50.0 %, threshold 90.0 %",
            "nasty11.9 %, threshold 30.0 %",
        ]
        bold = window.run(f"return {rows}.map(row => row.cells[0].style.fontWeight)")
        assert bold == ["700", "", ""]
        weights = dict(window.run(WEIGHTS))
        assert weights["good"] == pytest.approx(1, abs=0.01)
        assert "for nice" in window.run("return document.querySelector('#legend').textContent")
        _ask(window, "a film")
        assert window.run(label) == "nasty"
        _ask(window, "good")
        assert window.run(label) == "nice"


@pytest.mark.process
def test_entities_are_highlighted_in_the_text(served_entities):
    with browser("--window-size=420,800") as window:
        window.open(f"{served_entities.url}/")
        window.wait("document.title.startsWith('names')")
        # Offsets count code points: the emoji is two UTF-16 units.
        # (Nor can the browser's driver type it.)
        window.run("document.querySelector('#text').value = '🙂 <b>Anna</b> sings'")
        window.click("#send")
        window.wait("document.querySelectorAll('#entities mark').length === 1")
        marks = (
            "[...document.querySelectorAll('#entities mark')].map(m => m.firstChild.textContent)"
        )
        assert window.run(f"return {marks}") == ["Anna"]
        shown = window.run("return document.querySelector('#entities').textContent")
        assert shown == "🙂 <b>AnnaPER</b> sings"
        assert window.run("return document.querySelector('#label').textContent") == "1 entity"
        rows = window.run("return document.querySelector('#probabilities').innerText").split()
        assert rows == ["Anna", "PER", "50.0", "%"]
        assert not window.run("return document.querySelector('#words').offsetHeight")
        _ask(window, "nobody sings")
        assert window.run(f"return {marks}") == []
        assert window.run("return document.querySelector('#label').textContent") == "0 entities"
        assert not window.run("return document.querySelector('#table').offsetHeight")


@pytest.mark.process
def test_the_answer_is_marked_in_its_context(served_answers):
    with browser("--window-size=420,800") as window:
        window.open(f"{served_answers.url}/")
        window.wait("document.title.startsWith('facts')")
        labels = "['text-label', 'pair-label'].map(id => document.getElementById(id).textContent)"
        assert window.run(f"return {labels}") == ["Question", "Text that may hold the answer"]
        window.run("document.querySelector('#pair').value = '🙂 <b>Anna</b> sings'")
        _ask(window, "Who sings?")
        assert window.run("return document.querySelector('#entities mark').textContent") == "Anna"
        shown = window.run("return document.querySelector('#entities').textContent")
        assert shown == "🙂 <b>Anna</b> sings"
        assert window.run("return document.querySelector('#label').textContent") == "Anna"
        rows = window.run("return document.querySelector('#probabilities').innerText").split()
        assert rows == ["Anna", "50.0", "%"]
        window.run("document.querySelector('#pair').value = 'Nobody sings'")
        _ask(window, "Who sings?")
        assert window.run("return document.querySelectorAll('#entities mark').length") == 0
        assert window.run("return document.querySelector('#label').textContent") == "No answer"
        assert not window.run("return document.querySelector('#table').offsetHeight")


@pytest.mark.process
def test_cosine_of_two_texts_is_shown(served_cosines):
    with browser("--window-size=420,800") as window:
        window.open(f"{served_cosines.url}/")
        window.wait("document.title.startsWith('alike')")
        window.run("document.querySelector('#pair').value = 'good'")
        _ask(window, "a bad film")
        assert window.run("return document.querySelector('#label').textContent") == "-0.7616"
        shown = window.run("return document.querySelector('#score').textContent")
        assert shown == "cosine similarity"
        assert not window.run("return document.querySelector('#table').offsetHeight")
