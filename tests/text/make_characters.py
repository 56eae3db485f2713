"""Write ftkeras/text/_characters.py by asking the reference about every code point.

    python tests/text/make_characters.py

Source: `tokenizers` (Rust), its BertNormalizer, BertPreTokenizer and NFD, as installed; run again
when a new release of it carries another Unicode version (the exhaustive test then fails).
"""

import itertools
import pathlib
import textwrap
import unicodedata
from collections.abc import Iterable

import tokenizers
from tokenizers import normalizers, pre_tokenizers

TARGET = pathlib.Path(__file__).resolve().parents[2] / "ftkeras" / "text" / "_characters.py"
POINTS = [point for point in range(0x110000) if not 0xD800 <= point <= 0xDFFF]
LATE, EARLY = "\u302e", "\U0001d165"  # survive strip_accents, with combining classes 224 and 216


def bert(chinese: bool = False, accents: bool = False, lower: bool = False):
    """Return the reference's normalizer as a function of one string."""
    return normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=chinese, strip_accents=accents, lowercase=lower
    ).normalize_str


def ranges(points: Iterable[int]) -> str:
    """Format code points as "300-36f 483 …", in hexadecimal."""
    found: list[list[int]] = []
    for point in sorted(points):
        if found and found[-1][1] == point - 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return " ".join(f"{a:x}" if a == b else f"{a:x}-{b:x}" for a, b in found)


def cases(lower: dict[int, int]) -> str:
    """Format lower-casing as "41-5a+20 100-12e/2+1 …": first-last/step+distance."""
    found: list[list[int]] = []  # first, last, step, distance
    for point, small in lower.items():
        distance, run = small - point, found[-1] if found else [0, 0, 0, None]
        step = point - run[1]
        if run[3] == distance and (step == run[2] or (run[0] == run[1] and step in (1, 2))):
            run[1:3] = [point, step]
        else:
            found.append([point, point, 1, distance])
    return " ".join(
        f"{a:x}" + (f"-{b:x}" if b > a else "") + (f"/{s}" if s > 1 else "") + f"{d:+x}"
        for a, b, s, d in found
    )


def combining_classes(kept: list[int], strip) -> dict[int, list[int]]:
    """Return, by combining class, the marks that strip_accents keeps in the text."""
    movable = [p for p in kept if strip(LATE + chr(p) + "b")[0] != LATE]
    movable += [p for p in kept if strip("a" + chr(p) + EARLY)[1] == EARLY and chr(p) != EARLY]
    single = {p for p in movable if unicodedata.normalize("NFD", chr(p)) == chr(p)}
    key = unicodedata.combining
    order = sorted(single | {ord(LATE), ord(EARLY)}, key=lambda p: (key(chr(p)), p))
    return {k: list(group) for k, group in itertools.groupby(order, lambda p: key(chr(p)))}


def tables() -> dict[str, str]:
    """Return the text of each table by name."""
    clean, strip, lower, chinese = bert(), bert(accents=True), bert(lower=True), bert(chinese=True)
    pieces = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    nfd, frozen = normalizers.NFD().normalize_str, unicodedata.ucd_3_2_0.normalize
    kept = [p for p in POINTS if clean(chr(p)) == chr(p)]
    marks = [p for p in kept if strip(chr(p)) == "" and nfd(chr(p)) == chr(p)]
    walls = [p for p in marks if strip(LATE + chr(p) + EARLY) == LATE + EARLY]
    small = {p: lower(chr(p)) for p in kept if lower(chr(p)) != chr(p)}
    later = {p: nfd(chr(p)) for p in POINTS if nfd(chr(p)) != frozen("NFD", chr(p))}
    classes = combining_classes([p for p in kept if strip(chr(p))], strip)
    return {
        "SPACES": ranges(p for p in POINTS if clean(chr(p)) == " "),
        "REMOVED": ranges(p for p in POINTS if clean(chr(p)) == ""),
        "CHINESE": ranges(p for p in kept if chinese(chr(p)) == f" {chr(p)} "),
        "PUNCTUATION": ranges(p for p in kept if len(pieces(f"a{chr(p)}b")) == 3),
        "MARKS": ranges(set(marks) - set(walls)),
        "WALLS": ranges(walls),
        "LOWER": cases({p: ord(text) for p, text in small.items() if len(text) == 1}),
        "LOWER_LONG": " ".join(f"{p:x}>{points(t)}" for p, t in small.items() if len(t) > 1),
        "DECOMPOSED": " ".join(f"{p:x}>{points(text)}" for p, text in later.items()),
        **compatible(),
        **byte_level(),
        "CLASSES": "  ".join(f"{k}: {ranges(group)}" for k, group in classes.items()),
    }


def compatible() -> dict[str, str]:
    """Return what the normalizers NFKD and StripAccents change, which ALBERT's tokenizer has."""
    nfkd, frozen = normalizers.NFKD().normalize_str, unicodedata.ucd_3_2_0.normalize
    strip = normalizers.StripAccents().normalize_str
    later = {p: nfkd(chr(p)) for p in POINTS if nfkd(chr(p)) != frozen("NFKD", chr(p))}
    return {
        "COMPATIBLE": " ".join(f"{p:x}>{points(text)}" for p, text in later.items()),
        "ACCENTS": ranges(p for p in POINTS if strip(chr(p)) == ""),
    }


def byte_level() -> dict[str, str]:
    """Return what the pre-tokenizer ByteLevel keeps in one word with a letter, a digit or "!"."""
    words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True).pre_tokenize_str
    found = {
        probe: [p for p in POINTS if p != ord(" ") and len(words(chr(p) + probe)) == 1]
        for probe in ("a", "1", "!")
    }
    spaces = set(POINTS).difference(*found.values())
    return {
        "LETTERS": ranges(found["a"]),
        "NUMBERS": ranges(found["1"]),
        "WHITE_SPACE": ranges(spaces),
    }


def points(text: str) -> str:
    """Format the code points of `text` as "61,301"."""
    return ",".join(f"{ord(c):x}" for c in text)


NOTES = {
    "SPACES": "Replaced by a space.",
    "REMOVED": "Removed before anything else (clean_text): control, format, private use, U+FFFD.",
    "CHINESE": "Words by themselves (handle_chinese_chars).",
    "PUNCTUATION": "Always words by themselves.",
    "MARKS": "Removed by strip_accents; canonical reordering does not stop at them.",
    "WALLS": "Removed by strip_accents, of combining class 0: reordering stops at them.",
    "LOWER": "Lower case of a single character: first-last/step+distance.",
    "LOWER_LONG": "Lower case of several characters.",
    "DECOMPOSED": "Code points whose NFD is not that of Unicode 3.2 (`unicodedata.ucd_3_2_0`).",
    "COMPATIBLE": "Code points whose NFKD is not that of Unicode 3.2 (`unicodedata.ucd_3_2_0`).",
    "ACCENTS": "Removed by the normalizer StripAccents.",
    "LETTERS": r"\p{L} of the pre-tokenizer ByteLevel.",
    "NUMBERS": r"\p{N} of the pre-tokenizer ByteLevel.",
    "WHITE_SPACE": r"\s of the pre-tokenizer ByteLevel.",
    "CLASSES": "Combining classes of the marks that strip_accents keeps: class: code points.",
}


def main() -> None:
    """Write the tables."""
    parts = [
        '"""The classes of code points in the reference, as hexadecimal code points and ranges.\n\n'
        "Generated by tests/text/make_characters.py from `tokenizers` "
        f'{tokenizers.__version__}; do not edit by hand.\n"""\n'
    ]
    for name, text in tables().items():
        lines = textwrap.wrap(text, 96, break_long_words=False, break_on_hyphens=False)
        parts.append(f'# {NOTES[name]}\n{name} = """\n' + "\n".join(lines) + '\n"""\n')
    TARGET.write_text("\n".join(parts), encoding="ascii")


if __name__ == "__main__":
    main()
