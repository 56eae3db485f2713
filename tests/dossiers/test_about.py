"""about.yaml: statements are read strictly, and mistakes are refused by name."""

import pytest

from ftkeras.dossiers import about
from ftkeras.errors import UserError


def read(tmp_path, text: str) -> about.About:
    path = tmp_path / "about.yaml"
    path.write_text(text, encoding="utf-8")
    return about.read(path)


def test_template_states_nothing(tmp_path):
    assert read(tmp_path, about.template()).statements == {}


def test_each_key_of_the_template_has_a_comment_or_a_clear_name():
    keys = about.keys()
    assert len(keys) > 50
    assert all(isinstance(value, list) or value in about.EMPTY for value in keys.values())


def test_statements_have_their_kinds(tmp_path):
    found = read(
        tmp_path,
        "system: {version: 1.10, released: 2026-11-30, download: s3://models/1}\n"
        "purpose: {users: [clerks, '']}\n"
        "use: {commercial: Yes, same_license: no}\n"
        "limitations: [short texts]\n"
        "environment: {watts: 65}\n",
    )
    assert found.statements == {
        "system.version": "1.10",
        "system.released": "2026-11-30",
        "system.download": "s3://models/1",
        "purpose.users": ["clerks"],
        "use.commercial": True,
        "use.same_license": False,
        "limitations": ["short texts"],
        "environment.watts": 65.0,
    }
    assert found.text("use.same_license") == "no"
    assert found.text("system.name") == ""


@pytest.mark.parametrize("value", ["Todos los textos", "Todoist GmbH", "Todo está en español"])
def test_words_that_begin_like_todo_are_stated(tmp_path, value):
    assert read(tmp_path, f"system: {{name: {value}}}\n").text("system.name") == value


@pytest.mark.parametrize("value", ["TODO", "TODO ask", "todo: ask the lawyers", "''", "null", "~"])
def test_what_is_unfinished_is_not_stated(tmp_path, value):
    text = f'system:\n  name: "{value}"\n' if ":" in value else f"system:\n  name: {value}\n"
    assert read(tmp_path, text).statements == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("purpos: {}\n", "there is no key 'purpos'; did you mean purpose?"),
        ("purpose: {intended: x}\n", "there is no key 'intended' in the section purpose"),
        ("data: {licence: MIT}\n", "'licence' in the section data; did you mean license?"),
        ("purpose: x\n", "the section purpose must have keys, such as intended_use"),
        ("data: [MIT]\n", "the section data must have keys, such as name. Received: ['MIT']"),
        ("system: {name: [a]}\n", "`system.name` must be a text"),
        ("use: {commercial: maybe}\n", "`use.commercial` must be yes or no. Received: 'maybe'"),
        ("system: {released: 30.11.2026}\n", "`system.released` must be a day, such as 2026-11-30"),
        ("data: {built: 20261130}\n", "`data.built` must be a day"),
        ("data: {built: 2026-11-31}\n", "`data.built` must be a day"),
        ("data: {download: example.org}\n", "`data.download` must be an address, such as https"),
        ("environment: {watts: -3}\n", "`environment.watts` must be a positive number"),
        ("limitations: {a: b}\n", "`limitations` must be a list of texts"),
        ("limitations: [[a]]\n", "`limitations` must be a list of texts"),
        ("system: {}\nsystem: {}\n", "line 2: the key 'system' occurs twice"),
        ("system:\n  name: {{ model }}\n", "line 2: a key must be a text; put a value with braces"),
        ("- a\n", "must be a mapping"),
        ("system: [\n", "line 2: "),
    ],
)
def test_mistakes_are_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert "about=" in str(caught.value)
    assert "\n" not in str(caught.value)


LISTS = [key for key, value in about.keys().items() if isinstance(value, list)]


@pytest.mark.parametrize("key", LISTS)
def test_text_is_no_list(tmp_path, key):
    section, _, name = key.rpartition(".")
    text = f"{section}: {{{name}: one}}\n" if section else f"{name}: one\n"
    with pytest.raises(UserError, match=rf"`{key}` must be a list .* Received: 'one'\."):
        read(tmp_path, text)
    assert read(tmp_path, text.replace("one", "TODO")).statements == {}


@pytest.mark.parametrize("value", ["", "null", "~", "{}", "TODO"])
def test_empty_section_states_nothing(tmp_path, value):
    found = read(tmp_path, f"monitoring: {value}\nsystem: {{name: Router}}\nlimitations:\n")
    assert found.statements == {"system.name": "Router"}


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="can't be read: No such file"):
        about.read(tmp_path / "none.yaml")


def test_sections_have_every_key_once():
    found = about.About({"limitations": ["Short texts."]}).sections()
    listed = [key for texts in found.values() for key in texts]
    assert listed == list(about.keys())
    assert found["limitations"] == {"limitations": "Short texts."}
