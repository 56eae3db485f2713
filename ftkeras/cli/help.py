"""The help pages of the command line."""

import dataclasses
import re
import shutil
import textwrap
from collections.abc import Iterator

from ftkeras import catalog
from ftkeras.cli.commands import VERBS, Verb, flag_fields
from ftkeras.config.run import Config

COMMAND = "python -m ftkeras.main"
MAX_COLUMNS = 100
FLAG_COLUMNS = 23  # the width of --validation_examples and of the space behind it


def start() -> str:
    """Return what to show if nothing was asked for: the most common commands."""
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
    head, entry = _overview() if verb is None else _usage(verb), VERBS[verb or "train"]
    return "\n".join([*head, *_flags(entry), *_footer(entry)])


def part_page(name: str) -> str | None:
    """Return the help page of a part, such as `linear`; None if there is no such part."""
    if (found := catalog.describe(name)) is None:
        return None
    kind, docstring = found
    return f"--{kind}={name}\n\n{docstring}"


def _overview() -> Iterator[str]:
    yield "Fine-tune BERT-family encoders with TensorFlow and Keras 3."
    yield ""
    yield "Usage"
    for arguments, meaning in (
        ("[VERB] --flag=value …", "run a verb; without one, train"),
        ("VERB --help", "list a verb's flags"),
        ("help PART", "describe a part, such as lora"),
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


def _flags(verb: Verb) -> Iterator[str]:
    """Yield a title for each group of flags, and the help of each flag."""
    width, group = min(shutil.get_terminal_size().columns, MAX_COLUMNS), None
    for field in _own_flags_first(verb.config):
        if verb.groups and field.metadata["group"] not in verb.groups:
            continue
        if field.metadata["group"] != group:
            group = field.metadata["group"]
            yield ""
            yield group
        yield from textwrap.wrap(
            f"{'--' + field.name:{FLAG_COLUMNS}}{_description(field)}",
            width,
            initial_indent="  ",
            subsequent_indent=" " * (FLAG_COLUMNS + 2),
            break_on_hyphens=False,
        )


def _own_flags_first(config: type) -> list[dataclasses.Field]:
    """Return the flags of a verb; if it has those of train as well, these come last."""
    fields = flag_fields(config)
    if not issubclass(config, Config):
        return fields
    shared = {field.metadata["group"] for field in flag_fields(Config)}
    return sorted(fields, key=lambda field: field.metadata["group"] in shared)


def _description(field: dataclasses.Field) -> str:
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
    yield "  The last value of a flag wins; a repeatable flag collects all its values."
    if issubclass(verb.config, Config):
        yield '  A part takes keys in brackets: --head="classification(dropout=0.2)".'
    yield "  [value] is a flag's default."
