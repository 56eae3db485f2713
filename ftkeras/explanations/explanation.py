"""An explanation of an answer: a number for each token, and the text coloured by them."""

import html
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.support.controls import CONTROLS, REVERSING

# What tokenizers put before or after pieces of words, which the text does not have.
_MARKERS = re.compile(r"^(##|Ġ|▁)")
# The next token is searched for this far; one that was changed in tokenizing is not found.
REACH = 60
_UNSAFE = re.compile(f"[{CONTROLS}{REVERSING}]")
# Colours that people with a colour vision deficiency can distinguish, as in reports.
_FOR, _AGAINST = "0 114 178", "213 94 0"
# Backgrounds of a terminal with 256 colours, from weak to strong.
_BLUES, _ORANGES = (189, 153, 117, 75, 39), (230, 223, 216, 214, 208)

Pieces = list[tuple[str, float]]


class Explanation(dict):
    """The contribution of each token or word of a text to the evidence for an answer.

    It is a dict with the model's outputs for the text, such as `label` and `score`, and:

    - `text`, and `pair` if the model takes pairs;
    - `explained`: which output the evidence is for, such as a label;
    - `method`: integrated_gradients or occlusion;
    - `tokens` and `attributions`: the tokens or words, and what each contributes;
    - `part`, of a question's context: where what was read with the answer starts and ends;
    - `gap`: what all of them leave unexplained of the difference between the evidence for the text
      and for one without content.

    In a notebook it is the text with a background, blue where it speaks for the answer.

    >>> explanation = Explanation(text="Not bad", explained="good", method="occlusion",
    ...     tokens=["not", "bad"], attributions=[2.0, -1.0], gap=0.0)
    >>> explanation.pieces()
    [('Not', 1.0), (' ', 0.0), ('bad', -0.5)]
    """

    @property
    def whole_text(self) -> str:
        """The text, or both texts of a pair with " | " between; of a context, what was read."""
        texts = {name: self[name] for name in ("text", "pair") if self.get(name) is not None}
        if "part" in self:
            (start, end), context = self["part"], self["pair"]
            before, after = "… " * (start > 0), " …" * bool(context[end:].strip())
            texts["pair"] = before + context[start:end] + after
        return " | ".join(texts.values())

    def pieces(self) -> Pieces:
        """Return the text in pieces, each with its attribution relative to the largest one."""
        largest = max(map(abs, self["attributions"]), default=0.0) or 1.0
        weights = [value / largest for value in self["attributions"]]
        return align(self.whole_text, self["tokens"], weights)

    def title(self) -> str:
        """Return the explained answer, the method and its gap."""
        name = self["method"].replace("_", " ")
        return f"evidence for {self['explained']!r} by {name}, gap {self['gap']:+.3f}"

    def rows(self) -> list[tuple[str, float]]:
        """Return the tokens that contribute anything, the largest contributions first."""
        pairs = zip(self["tokens"], self["attributions"], strict=True)
        return sorted((row for row in pairs if row[1]), key=lambda row: -abs(row[1]))

    def terminal(self, *, colored: bool) -> str:
        """Return the explanation for a terminal.

        Args:
            colored: whether to write the text with backgrounds; otherwise its contributions are a
                table.
        """
        if not colored:
            lines = [f"{value:+9.4f}  {token}" for token, value in self.rows()]
            return "\n".join([self.title(), *lines])
        text = "".join(_colored(_plain(piece), weight) for piece, weight in self.pieces())
        return f"{self.title()}\n{text}"

    def _repr_html_(self) -> str:
        spans = "".join(_span(piece, weight) for piece, weight in self.pieces())
        style = "line-height: 1.7; white-space: pre-wrap"
        return f"<p>{html.escape(self.title())}</p><p style='{style}'>{spans}</p>"

    def __repr__(self) -> str:
        shown = textwrap.shorten(self.whole_text, 40, placeholder=" …")
        return f"Explanation({shown!r}, {self.title()})"


def align(text: str, tokens: Sequence[str], weights: Sequence[float]) -> Pieces:
    """Return a text in pieces with the weight of the token that each is from.

    Each token is searched for behind the one before it, regardless of case. Tokens that are not
    found, because the tokenizer has changed their letters, give their weights to what is between
    their neighbours.

    Args:
        text: as the model was given it.
        tokens: of the text, in their order, special ones among them.
        weights: of each token.

    >>> align("Déjà vu!", ["deja", "vu", "!"], [1.0, 0.5, 0.0])
    [('Déjà', 1.0), (' ', 0.0), ('vu', 0.5), ('!', 0.0)]
    """
    # Lower case letter by letter, so that positions stay those of the text.
    lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    pieces: Pieces = []
    at, pending = 0, 0.0
    for token, weight in zip(tokens, weights, strict=True):
        piece = _MARKERS.sub("", token).lower()
        start = lowered.find(piece, at, at + REACH + len(piece)) if piece else -1
        if start < 0:
            pending += weight
            continue
        pieces += _gap(text[at:start], pending)
        at, pending = start + len(piece), 0.0
        pieces.append((text[start:at], weight))
    return [*pieces, *_gap(text[at:], pending)]


def _gap(text: str, weight: float) -> Pieces:
    """Return the text between two tokens that were found; its ends of blanks have no weight."""
    inner = text.strip()
    if not inner or not weight:
        return [(text, 0.0)] if text else []
    start = text.index(inner)
    parts = [(text[:start], 0.0), (inner, weight), (text[start + len(inner) :], 0.0)]
    return [part for part in parts if part[0]]


def _span(piece: str, weight: float) -> str:
    if not weight:
        return html.escape(piece)
    color = f"rgb({_FOR if weight > 0 else _AGAINST} / {0.75 * min(1.0, abs(weight)):.2f})"
    return f"<span style='background: {color}' title='{weight:+.2f}'>{html.escape(piece)}</span>"


def _colored(piece: str, weight: float) -> str:
    """Return a piece with a background if its weight is at least a tenth of the largest."""
    if abs(weight) < 0.1:
        return piece
    shades = _BLUES if weight > 0 else _ORANGES
    shade = shades[min(len(shades) - 1, int(abs(weight) * len(shades)))]
    return f"\x1b[38;5;16;48;5;{shade}m{piece}\x1b[0m"


def _plain(text: str) -> str:
    """Return a text whose control characters can't change the terminal."""
    return _UNSAFE.sub("�", text)


def of_outputs(
    row: Mapping[str, Any], texts: Mapping[str, str], *, explained: str, method: str
) -> Explanation:
    """Return the explanation that outputs of a signature `explain` are.

    Args:
        row: the outputs for one text; tokens behind its end are empty.
        texts: the text, and for pairs the second text.
        explained: the output that was explained.
        method: how.
    """
    length = len([token for token in row["tokens"] if token])
    cut = {name: row[name][:length] for name in ("tokens", "attributions")}
    values = {name: decoded(value) for name, value in {**row, **cut}.items()}
    return Explanation({**values, **texts}, explained=explained, method=method)


def decoded(value: Any) -> Any:
    """Return strings instead of bytes, also in a list."""
    if isinstance(value, list):
        return [decoded(item) for item in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
