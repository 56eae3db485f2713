"""Find and build parts by name: `name(key=value, …)` is a class in that kind's folder.

A kind, such as `schedule`, is a folder of the package. Each public module in it is one part, and
the part's class is named like the module without underscores. To add a part, add a file; there is
no registry.
"""

import ast
import importlib
import inspect
import pathlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from ftkeras.errors import PartError, UserError
from ftkeras.support import source, specs
from ftkeras.support.nearest import hint
from ftkeras.support.specs import Spec

# The argument that names a part, and the folder of its kind.
KINDS = {
    "average": "averages",
    "task": "tasks",
    "encoder": "encoders",
    "group_by": "data/groupings",
    "head": "heads",
    "masking": "maskings",
    "few_shot": "phases/few_shot",
    "self_training": "phases/self_training",
    "truncation": "text/truncations",
    "redact": "text/redactions",
    "batching": "data/batching",
    "loss": "losses",
    "schedule": "schedules",
    "optimizer": "optimizers",
    "policy": "policies",
    "regularizer": "regularizers",
    "private": "privacy",
    "export": "exporters",
    "oracle": "search/oracles",
    "strategy": "strategies",
    "track": "trackers",
}
# Arguments of a kind's constructors that the run sets, never the user.
SET_BY_RUN = {
    "average": ("epochs",),
    "task": ("data_dir", "known_labels"),
    "encoder": ("vocabulary_size", "pooler", "initial", "seed", "hooks", "name"),
    "head": ("classes", "outputs", "seed", "name"),
    "batching": ("batch_size", "batch_tokens", "max_length", "pad_id", "parts", "row_parts"),
    "loss": ("classes", "pos_weight", "transitions", "name"),
    "schedule": ("peak", "total_steps", "warmup"),
    "optimizer": (
        *("learning_rate", "clip_norm", "multipliers", "skip_nonfinite", "loss_scaling", "name"),
    ),
    "policy": ("seed",),
    "regularizer": ("seed",),
    "few_shot": ("seed",),
    "private": ("sampling",),
    "export": (
        *("model", "text_layer", "problem", "pairs", "plain", "run_dir", "served_from", "card"),
        "force",
    ),
    "oracle": ("objective", "hyperparameters", "seed", "max_epochs"),
    "track": ("run_dir", "name"),
}
# Fields of a configuration whose default is an attribute of the task's problem.
OF_PROBLEM = {"loss": "loss", "objective": "metric"}
# Keys that every part of a kind takes, besides the arguments of its constructor.
COMMON_KEYS = {
    "encoder": {
        "checkpoint": source.Argument(
            "str",
            "None",
            "folder or Hugging Face Hub id of pretrained weights, which fix all other keys but the "
            "dropouts.",
        ),
        "vocabulary": source.Argument(
            "str",
            "None",
            "a vocab.txt, or a folder with a tokenizer's files, to start with random weights "
            "instead.",
        ),
        "lowercase": source.Argument(
            "bool", "True", "with a vocab.txt: whether texts are lower-cased."
        ),
    },
    "head": {
        "start": source.Argument(
            "str",
            "'auto'",
            "new, or checkpoint for the classifier of a fine-tuned checkpoint; auto uses that if "
            "its labels are the task's.",
        ),
    },
}
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
# Where a head's weights may come from.
HEAD_STARTS = ("auto", "checkpoint", "new")


def names(kind: str) -> list[str]:
    """Return the names of all parts of a kind, sorted."""
    return sorted(path.stem for path in _folder(kind).glob("*.py") if path.stem[0] != "_")


def parse(kind: str, text: str) -> Spec:
    """Read `name` or `name(key=value, …)`, where values are Python literals.

    Values without a key are those of the part's first keys.

    Raises:
        UserError: if the text is not such a spec.

    >>> parse("self_training", "rounds(2, confidence=0.9)")
    Spec(name='rounds', arguments={'count': 2, 'confidence': 0.9})
    """
    return specs.parse(kind, text, lambda name: keys(kind, name) if name in names(kind) else ())


def find(kind: str, name: str) -> type:
    """Return the class of a part.

    Raises:
        UserError: if there is no part of this name.
    """
    require(kind, name)
    module = importlib.import_module(f"ftkeras.{KINDS[kind].replace('/', '.')}.{name}")
    for member in vars(module).values():
        own = inspect.isclass(member) and member.__module__ == module.__name__
        if own and _is_named_like(member.__name__, name):
            return member
    raise TypeError(f"{module.__name__} defines no class named like the file.")


def kinds_of(name: str) -> list[str]:
    """Return the kinds that have a part of this name.

    >>> kinds_of("linear"), kinds_of("classification")
    (['schedule'], ['task', 'head'])
    """
    return [kind for kind in KINDS if name in names(kind)]


def require(kind: str, name: str) -> None:
    """Raise UserError unless there is a part of this name."""
    if name not in names(kind):
        known = names(kind)
        raise UserError(
            f"`{kind}` must be one of {', '.join(known)}. Received: {name!r}{hint(name, known)}"
        )


def describe(kind: str, name: str) -> source.ClassSource:
    """Return the description of a part's class from its source, without importing it."""
    path = _folder(kind) / f"{name}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    return source.read(path, next(one for one in classes if _is_named_like(one, name)))


def keys(kind: str, name: str) -> dict[str, source.Argument]:
    """Return the keys that a user can set in a part's spec, without importing the part."""
    own = describe(kind, name).arguments
    fixed = SET_BY_RUN.get(kind, ())
    settable = {key: argument for key, argument in own.items() if key not in fixed}
    return {**settable, **COMMON_KEYS.get(kind, {})}


def check(kind: str, text: str) -> None:
    """Check a spec as far as possible without importing the part.

    Raises:
        UserError: if there is no such part or key, if a key is missing, or if a value is wrong.
    """
    parsers = {"encoder": parse_encoder, "head": parse_head}
    spec = parsers[kind](text) if kind in parsers else parse(kind, text)
    if not spec.name:  # config.json names the encoder, the task names the head
        return
    require(kind, spec.name)
    known = keys(kind, spec.name)
    _check_keys(kind, spec, {key: argument.default is None for key, argument in known.items()})
    common = COMMON_KEYS.get(kind, {})
    own = {key: value for key, value in spec.arguments.items() if key not in common}
    try:
        for key in spec.arguments.keys() - own.keys():
            source.check_type(key, spec.arguments[key], common[key].annotation)
        describe(kind, spec.name).check(own)
    except ValueError as error:
        raise PartError(kind, str(spec), str(error)) from error


def problem_default(task: str, attribute: str) -> str:
    """Return an attribute of the problem that a task poses, without importing either.

    Args:
        task: its name; an unknown one has the default problem.
        attribute: of the problem's class, a string such as `loss`.

    >>> problem_default("regression", "loss")
    'mean_squared_error'
    """
    path = _folder("task") / f"{task}.py"
    given = source.attributes(path).get("problem_class") if path.is_file() else None
    # problem_class = Regression, or module.Regression
    name = given.rpartition(".")[2].lower() if given else "classification"
    files = pathlib.Path(__file__).parent.glob("problems/*.py")
    problem = next(file for file in files if _is_named_like(name, file.stem))
    defaults = {
        **source.attributes(pathlib.Path(__file__).parent / "problems" / "_base.py"),
        **source.attributes(problem),
    }
    return ast.literal_eval(defaults[attribute])


def parse_encoder(text: str) -> Spec:
    """Return an encoder's spec; text that is neither a spec nor a part's name names a checkpoint.

    >>> parse_encoder("bert-base-uncased")
    Spec(name='', arguments={'checkpoint': 'bert-base-uncased'})
    """
    is_call = re.fullmatch(r"\s*\w+\s*\(.*\)\s*", text)
    if not is_call and text.partition("(")[0].strip() not in names("encoder"):
        return Spec("", {"checkpoint": text})
    spec = parse("encoder", text)
    if not {"checkpoint", "vocabulary"} & spec.arguments.keys():
        raise UserError(
            f"encoder={spec.name} needs checkpoint='folder or Hub id', or vocabulary='vocab.txt' "
            "to start with random weights."
        )
    return spec


def head_loss(head: str | None) -> str | None:
    """Return the loss that a head's spec brings with it, without importing the head; or None.

    >>> head_loss("crf(dropout=0.2)"), head_loss("classification"), head_loss(None)
    ('crf', None, None)
    """
    name = parse_head(head).name if head else ""
    path = _folder("head") / f"{name}.py"
    losses = source.attributes(path).get("losses") if path.is_file() else None
    return ast.literal_eval(losses)[0] if losses else None


def parse_head(text: str) -> Spec:
    """Return a head's spec; checkpoint or new alone is the `start` of the task's own head.

    >>> parse_head("checkpoint")
    Spec(name='', arguments={'start': 'checkpoint'})
    """
    spec = Spec("", {"start": text}) if text in HEAD_STARTS else parse("head", text)
    if (start := spec.arguments.get("start", "auto")) not in HEAD_STARTS:
        raise PartError(
            "head", str(spec), f"`start` must be {', '.join(HEAD_STARTS)}. Received: {start!r}."
        )
    return spec


def build(kind: str, text: str, **context: Any) -> Any:
    """Build the part that a spec names.

    Args:
        kind: a key of `KINDS`.
        text: the spec, such as `linear(end=1e-6)`.
        context: what the run knows, such as the number of steps or classes. A part gets the
            values that its constructor asks for; a spec cannot set them.

    Raises:
        UserError: if there is no such part or key, if a key is missing, or if the part refuses a
            value.
    """
    spec = parse(kind, text)
    return construct(kind, find(kind, spec.name), spec, **context)


def construct(kind: str, cls: Callable[..., Any], spec: Spec, **context: Any) -> Any:
    """Build a part from its class, its spec and what the run knows, as `build` does."""
    parameters = inspect.signature(cls).parameters
    fixed = {*context, *SET_BY_RUN.get(kind, ())}
    required = {
        name: parameter.default is parameter.empty
        for name, parameter in parameters.items()
        if parameter.kind in _NAMED and name not in fixed
    }
    _check_keys(kind, spec, required)
    wanted = {name: value for name, value in context.items() if name in parameters}
    try:
        return cls(**wanted, **spec.arguments)
    except (ValueError, TypeError) as error:
        raise PartError(kind, str(spec), str(error)) from error


def _check_keys(kind: str, spec: Spec, known: Mapping[str, bool]) -> None:
    """Raise PartError unless a spec has known keys only, and all that are required.

    Args:
        kind: a key of `KINDS`.
        spec: the spec.
        known: for each key, whether it is required.
    """
    for key in spec.arguments:
        if key not in known:
            takes = f"Its keys are: {', '.join(known)}." if known else "It takes none."
            message = f"there is no key {key!r}{hint(key, known)} {takes}"
            raise PartError(kind, str(spec), message)
    if missing := [key for key, needed in known.items() if needed and key not in spec.arguments]:
        raise PartError(kind, str(spec), f"needs {', '.join(missing)}.")


def _folder(kind: str) -> pathlib.Path:
    return pathlib.Path(__file__).parent / KINDS[kind]


def _is_named_like(class_name: str, module_name: str) -> bool:
    return class_name.lower() == module_name.replace("_", "")
