"""Write the pages of the reference from the code, so that they cannot be out of date."""

import dataclasses
import re
from collections.abc import Iterator

import docstrings
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import ftkeras
from ftkeras import catalog
from ftkeras.cli import commands
from ftkeras.cli import help as help_pages
from ftkeras.runs.changes import CHANGEABLE

# The title and the introduction of each kind's page.
_KINDS = {
    "task": ("Tasks", "A task is a dataset with its labels."),
    "encoder": ("Encoders", "A checkpoint's `model_type` chooses its family."),
    "head": ("Heads", "By default, the problem chooses the head."),
    "schedule": ("Schedules", "The learning rate at each update, after the warm-up."),
    "optimizer": ("Optimizers", ""),
    "policy": ("Policies", "Which variables train, and how fast. The flag may be repeated."),
    "regularizer": ("Regularizers", "The flag may be repeated."),
    "private": ("Privacy", "What is done to the gradients of single examples."),
    "loss": ("Losses", "By default, the problem chooses the loss."),
    "average": ("Averages", "Averages of the weights over training."),
    "batching": ("Batching", "How examples become batches."),
    "masking": ("Maskings", "Which tokens `pretrain` masks."),
    "few_shot": ("Few labels", "How an encoder is tuned by few labels before the head is trained."),
    "self_training": ("Self-training", "How a run learns from its own answers."),
    "truncation": ("Truncations", "What is kept of a text that is too long."),
    "redact": ("Redactions", "What placeholders replace in texts before they are tokenized."),
    "group_by": ("Groupings", "Examples that stay in one split or fold."),
    "strategy": ("Strategies", "The devices that a run uses."),
    "export": ("Exports", "The flag may be repeated."),
    "track": ("Trackers", "Where metrics are recorded while training. The flag may be repeated."),
    "oracle": ("Oracles", "How `tune` chooses the next trial."),
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {
        "reference/flags.md": _flags(),
        "reference/python.md": _python(),
        **{f"reference/parts/{kind}.md": _kind(kind) for kind in catalog.KINDS},
    }
    for path, lines in pages.items():
        files.append(File.generated(config, path, content="\n".join(lines)))
    return files


def _flags() -> Iterator[str]:
    """Yield the page of all verbs and their flags."""
    yield from ("# Verbs and flags", "")
    yield "`ftkeras` is `python -m ftkeras.main`. `ftkeras VERB --help` prints the same."
    shown: set[str] = set()
    for name, verb in commands.VERBS.items():
        yield from ("", f"## {name}", "", verb.summary, "")
        yield from ("```", f"{help_pages.COMMAND} {name} {verb.example}", "```")
        taken = help_pages.flags(name)
        new = [one for one in taken if one.name not in shown]
        yield from _flag_tables(new)
        if issubclass(verb.config, commands.VERBS["train"].config):
            if name in CHANGEABLE:
                known = ", ".join(f"`--{one.name}`" for one in taken if one.name in shown)
                yield from ("", f"Of the flags of [train](#train), you may change {known}.")
            elif name != "train":
                yield from ("", "It also takes the flags of [train](#train).")
            shown |= {one.name for one in new}


def _flag_tables(fields: list[dataclasses.Field]) -> Iterator[str]:
    group = None
    for field in fields:
        if field.metadata["group"] != group:
            group = field.metadata["group"]
            yield from ("", f"**{group}**", "", "| flag | meaning |", "|---|---|")
        meaning = re.sub(r"(?<![\w`-])--\w+", r"`\g<0>`", help_pages.describe_flag(field))
        yield f"| `--{field.name}` | {_cell(meaning)} |"


def _kind(kind: str) -> Iterator[str]:
    """Yield the page of all parts of a kind."""
    title, introduction = _KINDS[kind]
    yield from (f"# {title}", "", introduction)
    yield f'`--{kind}=name`, or `--{kind}="name(key=value)"` with values written as in Python.'
    for name in catalog.names(kind):
        described = catalog.describe(kind, name)
        yield from ("", f"## {name}", "", docstrings.prose(described.docstring))
        if keys := catalog.keys(kind, name):
            yield from ("", "| key | default | meaning |", "|---|---|---|")
        for key, argument in keys.items():
            default = "required" if argument.default is None else f"`{argument.default}`"
            yield f"| `{key}` | {_cell(default)} | {_cell(argument.about)} |"


def _python() -> Iterator[str]:
    """Yield the page of the public Python API."""
    yield from ("# Python API", "", "[From Python](../python.md) shows how these work together.")
    kinds = {folder: kind for kind, folder in catalog.KINDS.items()}
    names = set(ftkeras.__all__) - {"__version__"}
    for name in sorted(names - kinds.keys(), key=str.swapcase):  # functions before classes
        yield from ("", f"::: ftkeras.{name}")
    yield from ("", "::: ftkeras.callbacks.exact_resume.ExactResume")
    yield from ("", "## Modules of parts", "")
    for name in sorted(names & kinds.keys()):
        yield f"- `ftkeras.{name}`: [{_KINDS[kinds[name]][0].lower()}](parts/{kinds[name]}.md)"


def _cell(text: str) -> str:
    """Return text for a table's cell; a bar between backticks does not end a cell."""
    parts = text.replace("\n", " ").split("`")
    return "`".join(one if i % 2 else one.replace("|", "\\|") for i, one in enumerate(parts))
