"""Counts in messages, with the noun and the verb that go with them."""


def counted(count: int, singular: str, plural: str) -> str:
    """Return a count in words.

    >>> counted(1, "text is", "texts are"), counted(2000, "text is", "texts are")
    ('1 text is', '2,000 texts are')
    """
    return f"{count:,} {singular if count == 1 else plural}"
