"""Random texts of a vocabulary's own tokens, so that they use its scripts and are not all [UNK]."""

import random
from collections.abc import Iterator, Sequence

PUNCTUATION = list(
    "。，、；：？！「」『』（）《》〈〉…—～·・￥％.,;:?!'\"()[]{}<>-_/\\@#$%^&*+=|~`¿¡§¶†€£½²™"
)
JOINTS = ["", "", "", " ", " ", "\n", "\t", "\u3000", "\u00a0", "\u200b", "\u00ad", "\u0085"]
MARKS = [
    *"\u0300\u0301\u0308\u0323\u0327\u093c\u094d\u05b0\u0651\u3099\u309a\ufe0f\u200d\u302e\u302f",
    *"\u0f71\u0f72\u0f73\u034f\u1b44\u08d4\U0001d165\U0001d16d\U0001d16e\U0001d160\U00011446",
]


def mixtures(vocabulary: Sequence[str], count: int, source: random.Random) -> Iterator[str]:
    """Yield texts of tokens, some capitalized or marked, with punctuation and unusual spaces."""
    bare = [token.removeprefix("##") for token in vocabulary]
    for _ in range(count):
        yield "".join(_part(bare, source) for _ in range(source.randrange(40)))


def _part(tokens: list[str], source: random.Random) -> str:
    token, chance = source.choice(tokens), source.random()
    if chance < 0.15:
        token = source.choice([str.upper, str.title, str.swapcase])(token)
    elif chance < 0.25:
        token += "".join(source.choices(MARKS, k=source.randrange(1, 5)))
    elif chance < 0.4:
        token = source.choice(PUNCTUATION)
    elif chance < 0.42:
        token = chr(source.choice([source.randrange(0xD800), source.randrange(0xE000, 0x110000)]))
    return token + source.choice(JOINTS)
