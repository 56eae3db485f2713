import pytest

from ftkeras.text.code_digest import code_digest

CODE = '''"""Module."""
import math

LIMIT = 3  # pieces


class Cutter:
    """Cut texts."""

    name = "cutter"

    def cut(self, text):
        """Cut a text."""
        return text[:LIMIT]
'''


@pytest.fixture
def digest(tmp_path):
    def of(*texts):
        paths = [tmp_path / f"{number}.py" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        return code_digest(paths)

    return of


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# pieces", "# tokens, é"),
        ("Module.", "Another module."),
        ('"""Cut texts."""', '"""Shorten texts.\n\n    To a limit.\n    """'),
        ('        """Cut a text."""\n', ""),
        ("text[:LIMIT]", "text[: LIMIT]"),
        ("\n\n\nclass", "\n\nclass"),
    ],
)
def test_comments_docstrings_and_format_do_not_matter(digest, before, after):
    assert before in CODE
    assert digest(CODE.replace(before, after)) == digest(CODE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("[:LIMIT]", "[LIMIT:]"),
        ('"cutter"', '"cut"'),
        ("import math", "import cmath"),
    ],
)
def test_code_and_strings_that_are_no_docstrings_matter(digest, before, after):
    assert before in CODE
    assert digest(CODE.replace(before, after)) != digest(CODE)


def test_number_and_order_of_files_matter(digest):
    assert (
        len({digest(CODE), digest(CODE, CODE), digest(CODE, "x = 1"), digest("x = 1", CODE)}) == 4
    )
