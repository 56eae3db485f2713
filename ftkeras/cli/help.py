"""The help pages of the command line."""

import dataclasses
import re
import shutil
import textwrap
from collections.abc import Iterator

from ftkeras import catalog
from ftkeras.cli.commands import VERBS, Verb, shown_flags
from ftkeras.config.run import Config

COMMAND = "python -m ftkeras.main"
MAX_COLUMNS = 100
FLAG_COLUMNS = 23  # the width of --validation_examples and of the space behind it


def start() -> str:
    """Return the page for a command line without arguments: the most common commands."""
    commands = (
        ("train reviews.csv", "fine-tune on your own texts and labels"),
        ("predict --model=saved_models/reviews --input=new.txt", "label new texts, one a line"),
        ("serve --model=saved_models/reviews", "try the model in a browser"),
    )
    width = max(len(command) for command, _ in commands)
    lines = [f"  {COMMAND} {command:{width}}  {meaning}" for command, meaning in commands]
    head = "Fine-tune BERT-family encoders with TensorFlow and Keras 3."
    return "\n".join([head, "", *lines, "", f"  {COMMAND} --help lists all verbs and flags."])


def page(verb: str | None = None) -> str:
    """Return the help page of a verb, or the overview with train's flags."""
    head, verb = (_overview(), "train") if verb is None else (_usage(verb), verb)
    return "\n".join([*head, *_groups(verb), *_footer(VERBS[verb])])


def part_page(name: str) -> str | None:
    """Return the help page of a part, such as `linear`; None if there is no such part.

    A `-` is read as `_`, as `deberta-v2` is the model type of the family `deberta_v2`.
    """
    name = name.replace("-", "_")
    pages = ["\n".join(_part(kind, name)) for kind in catalog.kinds_of(name)]
    return "\n\n\n".join(pages) or None


def flag_page(name: str) -> str | None:
    """Return the help of a flag, which verbs may share; None if there is no such flag."""
    name = name.lstrip("-").replace("-", "_")
    verbs: dict[str, list[str]] = {}
    for verb in VERBS:
        for field in shown_flags(verb):
            if field.name == name:
                verbs.setdefault(describe_flag(field), []).append(verb)
    pages = [
        "\n".join([*_wrapped(f"--{name} of {', '.join(names)}", 0), *_wrapped(about, 0)])
        for about, names in verbs.items()
    ]
    if pages and name in catalog.KINDS:
        pages.append(f"  {COMMAND} help PART describes one of these parts, and its keys.")
    return "\n\n".join(pages) or None


def _part(kind: str, name: str) -> Iterator[str]:
    """Yield the description of a part, and the keys of its spec with their defaults."""
    described, keys = catalog.describe(kind, name), catalog.keys(kind, name)
    flag = name if not keys else f'"{name}({next(iter(keys))}=…)"'
    yield f"--{kind}={flag}"
    yield ""
    yield from _without_sections(described.docstring)
    if keys:
        yield ""
        yield "Keys"
    width = max((len(key) + 2 for key in keys), default=0)
    for key, argument in keys.items():
        default = "required" if argument.default is None else f"[{argument.default}]"
        about = f"{key:{width}}{_sentence(argument.about)} {default}"
        yield from _wrapped(about, width)
    if given := [one for one in described.arguments if one in _TAKEN_FROM_FLAGS]:
        yield ""
        flags = ", ".join(f"{one} is {_TAKEN_FROM_FLAGS[one]}" for one in given)
        yield from _wrapped(f"From the run: {flags}.", 0)


# Arguments that a part's formula may name, and what sets them.
_TAKEN_FROM_FLAGS = {
    "peak": "--learning_rate",
    "learning_rate": "--learning_rate with its --schedule",
    "total_steps": "the number of updates after the warm-up",
    "warmup": "--warmup",
    "clip_norm": "--clip_norm",
}


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."


def _without_sections(docstring: str) -> Iterator[str]:
    """Yield a docstring's lines, without sections about Python and without examples."""
    is_shown, lines = True, []
    for paragraph in docstring.split("\n\n"):
        head = paragraph.split(":")[0]
        if not paragraph.startswith(" "):
            is_shown = head not in _ABOUT_PYTHON and not paragraph.startswith((">>>", "Returns"))
        lines += [_fitted(paragraph)] if is_shown else []
    yield from "\n\n".join(lines).splitlines()


def _fitted(paragraph: str) -> str:
    """Return a paragraph of prose that fits the terminal; others, such as formulas, as they are."""
    width, lines = _columns(), paragraph.splitlines()
    if max(map(len, lines)) <= width or any(line.startswith(" ") for line in lines):
        return paragraph
    return textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False)


_ABOUT_PYTHON = ("Args", "Attributes", "Call", "Returns", "Raises", "Yields", "Example")


def _columns() -> int:
    return min(shutil.get_terminal_size().columns, MAX_COLUMNS)


def _wrapped(text: str, indent: int) -> list[str]:
    """Return lines of a paragraph; all but the first have a further indent."""
    return textwrap.wrap(
        text,
        _columns(),
        initial_indent="  ",
        subsequent_indent=" " * (indent + 2),
        break_on_hyphens=False,
    )


def _overview() -> Iterator[str]:
    yield "Fine-tune BERT-family encoders with TensorFlow and Keras 3."
    yield ""
    yield "Usage"
    for arguments, meaning in (
        ("[VERB] --flag=value …", "run a verb, by default train"),
        ("VERB --help", "list a verb's flags"),
        ("help NAME", "describe a part, such as lora, or a flag"),
        ("completion bash", "print a script for tab completion; also zsh, fish"),
        ("--version", "show the versions of ftkeras, Keras and TensorFlow"),
    ):
        yield f"  {COMMAND} {arguments:22} {meaning}"
    yield ""
    yield "Verbs"
    width = max(map(len, VERBS))
    for name, verb in VERBS.items():
        yield f"  {name:{width}}  {verb.summary}"
    yield ""
    yield "Flags of train"


def _usage(verb: str) -> Iterator[str]:
    yield VERBS[verb].summary
    yield ""
    yield "Example"
    yield f"  {COMMAND} {verb} {VERBS[verb].example}"


def _groups(verb: str) -> Iterator[str]:
    """Yield a title for each group of flags, and the help of each flag."""
    group = None
    for field in flags(verb):
        if field.metadata["group"] != group:
            group = field.metadata["group"]
            yield ""
            yield group
        yield from _wrapped(
            f"{'--' + field.name:{FLAG_COLUMNS}}{describe_flag(field)}", FLAG_COLUMNS
        )


def flags(verb: str) -> list[dataclasses.Field]:
    """Return the flags on a verb's help page by group; those that train also has come last."""
    fields = shown_flags(verb)
    if not issubclass(VERBS[verb].config, Config):
        return fields
    return sorted(fields, key=lambda field: _SHARED_GROUPS.get(field.metadata["group"], -1))


# The groups of train's flags, in the order of its help page.
_SHARED_GROUPS = {
    group: place
    for place, group in enumerate(("Data", "Model", "Training", "Few labels", "Privacy", "Output"))
}


def describe_flag(field: dataclasses.Field) -> str:
    """Return a flag's help, with the parts that it may name and its default."""

    def names(kind: re.Match) -> str:
        return ", ".join(catalog.names(kind[1]))

    text = re.sub(r"\{(\w+)\}", names, field.metadata["help"])
    text = re.sub(r"`(\w+)`", r"--\1", text)
    default = field.default
    if default is None or default is False or default == ():
        return text
    shown = ", ".join(default) if isinstance(default, tuple) else str(default)
    return f"{text} [{shown.lower() if default is True else shown}]"


def _footer(verb: Verb) -> Iterator[str]:
    yield ""
    yield "  --flagfile=FILE reads flags from a file, one per line; # starts a comment."
    yield "  The last value of a flag wins. A repeatable flag collects all its values."
    if issubclass(verb.config, Config):
        yield '  A part takes keys in parentheses: --head="classification(dropout=0.2)".'
    yield "  [value] is the default of a flag."
