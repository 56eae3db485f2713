"""The one place that knows absl: the command line to a verb and its configuration."""

import dataclasses
import pathlib
import re
import shutil
import textwrap
from dataclasses import dataclass

from absl import flags as absl_flags

from ftkeras import catalog
from ftkeras.config import flagfile
from ftkeras.config.measuring import CompareConfig, CrossvalidateConfig
from ftkeras.config.run import Config
from ftkeras.config.serving import DeployConfig, ServeConfig
from ftkeras.config.tune import TuneConfig
from ftkeras.config.verbs import FindRateConfig, LaunchConfig, PlotConfig, PredictConfig
from ftkeras.errors import UserError
from ftkeras.runs import layout


@dataclass(frozen=True)
class Verb:
    """A verb: what it does, in one line, what it is told, and which groups its help shows.

    `folders` is the field that takes what stands without a flag; None where nothing may.
    """

    summary: str
    config: type
    example: str
    groups: tuple[str, ...] | None = None
    folders: str | None = None


VERBS = {
    "train": Verb(
        "Fine-tune, evaluate on test, export.", Config, "--task=imdb --learning_rate=2e-5"
    ),
    "evaluate": Verb(
        "Measure a finished run again, on validation and test; all else as it was trained.",
        Config,
        "--run_dir=runs/imdb/…",
        groups=("Data", "Output"),
    ),
    "export": Verb(
        "Export a finished run again.", Config, "--run_dir=runs/imdb/…", groups=("Output",)
    ),
    "predict": Verb(
        "Label texts with an exported model.",
        PredictConfig,
        '--model=saved_models/imdb --text="Worth every minute."',
    ),
    "serve": Verb(
        "Answer over HTTP as TensorFlow Serving does, with a page to try the model.",
        ServeConfig,
        "--model=saved_models/imdb",
    ),
    "deploy": Verb(
        "Write what TensorFlow Serving wants: for Docker Compose and for Kubernetes.",
        DeployConfig,
        "--model=saved_models/imdb",
    ),
    "crossvalidate": Verb(
        "Hold each fold of the training data out once; mean, sd and interval of every figure.",
        CrossvalidateConfig,
        "--task=imdb --folds=5 --repeats=2",
    ),
    "compare": Verb(
        "Say what may be concluded from finished runs on the same examples.",
        CompareConfig,
        "runs/imdb/full-1 runs/imdb/full-2 runs/imdb/lora-1 runs/imdb/lora-2",
        folders="folders",
    ),
    "plot": Verb(
        "Draw the learning rate over a run, and train nothing.",
        PlotConfig,
        '"--schedule=cosine(cycles=2)" --learning_rate=2e-5 --steps=1000',
    ),
    "find_rate": Verb(
        "Try rising learning rates on a few batches; suggest one, keep no weights.",
        FindRateConfig,
        "--task=imdb --encoder=bert-base-uncased",
    ),
    "tune": Verb(
        "Search for a recipe: many trials of train, the best as a flagfile.",
        TuneConfig,
        "--task=imdb --search='learning_rate=log(1e-5, 1e-4)' --max_trials=12",
    ),
    "launch": Verb(
        "Train or tune with several workers on this machine, as one would on several machines.",
        LaunchConfig,
        "--workers=2 --restarts=3 -- --task=imdb --checkpoint_every=500",
    ),
}


@dataclass(frozen=True)
class Command:
    """What the command line asked for; `help` is the text to print where help was asked for."""

    verb: str
    config: Config | PredictConfig | None = None
    help: str | None = None


def parse(arguments: list[str]) -> Command:
    """Reads `[verb] --flag=value …`; a flagfile stands anywhere, later values win."""
    if arguments[:1] == ["help"] and (part := catalog.description(" ".join(arguments[1:]))):
        return Command("help", help=part)
    verb, rest = _verb(arguments)
    if any(argument in ("--help", "-h") for argument in rest):
        return Command(verb, help=help_text(verb if verb in arguments else None))
    config, folders = VERBS[verb].config, VERBS[verb].folders
    if verb == "launch":
        return _launch(rest)
    if folders:
        values, alone = _parsed(config, rest)
        return Command(verb, config(**_given(values), **{folders: tuple(alone)}))
    values = _read(config, rest)
    given = _given(values)
    if verb in ("evaluate", "export"):
        merged = _given(_read(config, [f"--flagfile={_recorded(values, verb)}", *rest]))
        # absl would add a repeated flag to the recorded ones; here the command line replaces them.
        replaced = {name: given[name] for name in given if values[name].present}
        given = {**merged, **replaced}
    return Command(verb, config(**given))


def _launch(arguments: list[str]) -> Command:
    """Reads `--workers=… -- [verb] --flag=value …`; what is wrong behind `--` is told here."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    values, behind = _given(_read(LaunchConfig, arguments[:cut])), arguments[cut + 1 :]
    inner = parse(behind) if cut < len(arguments) else Command("train")
    about = {"arguments": tuple(behind), "verb": inner.verb, "config": inner.config}
    return Command("launch", LaunchConfig(**values, **about))


def help_text(verb: str | None) -> str:
    """The help page: of one verb, or of all."""
    width = min(shutil.get_terminal_size().columns, 100)
    command = "python -m ftkeras.main"
    if verb is None:
        lines = ["Fine-tune BERT-family encoders on TensorFlow and Keras 3.", ""]
        lines += [f"  {command} [verb] --flag=value …  (train where no verb is given)", "", "Verbs"]
        lines += [f"  {name:10} {known.summary}" for name, known in VERBS.items()]
        lines += ["", f"Flags of train ({command} VERB --help for another verb's)"]
    else:
        lines = [VERBS[verb].summary, "", f"  {command} {verb} {VERBS[verb].example}"]
    entry, group = VERBS[verb or "train"], None
    for field in _flags(entry.config):
        if entry.groups and field.metadata["group"] not in entry.groups:
            continue
        if field.metadata["group"] != group:
            group = field.metadata["group"]
            lines += ["", group]
        lines += _flag_help(field, width)
    lines += [
        "",
        "  --flagfile=FILE  reads flags from a file, one a line; # starts a comment.",
        '  A part takes keys: --head="classification(dropout=0.2)".',
        f"  {command} help PART  says what a part does and takes.",
    ]
    return "\n".join(lines)


def _verb(arguments: list[str]) -> tuple[str, list[str]]:
    if not arguments or arguments[0].startswith("-"):
        return "train", arguments
    if arguments[0] == "help" and not arguments[2:]:
        return _verb([*arguments[1:], "--help"])
    if arguments[0] not in VERBS:
        raise UserError(f"there is no verb {arguments[0]!r}; there are: {', '.join(VERBS)}.")
    return arguments[0], arguments[1:]


def _read(config: type, arguments: list[str]) -> absl_flags.FlagValues:
    values, alone = _parsed(config, arguments)
    if alone:
        raise UserError(f"{alone[0]!r} stands alone; flags are written --flag=value.")
    return values


def _parsed(config: type, arguments: list[str]) -> tuple[absl_flags.FlagValues, list[str]]:
    """The flags' values, and what stands between them."""
    values = _define(config)
    values.set_gnu_getopt()
    try:
        alone = values(["ftkeras", *arguments], known_only=False)[1:]
    except absl_flags.UnrecognizedFlagError as error:
        suggested = re.search(r"Did you mean: (\w+)", str(error))
        near = f"; did you mean --{suggested[1]}?" if suggested else ""
        raise UserError(f"there is no flag --{error.flagname}{near}") from None
    except absl_flags.CantOpenFlagFileError as error:
        raise UserError(f"--flagfile can't be read: {_one_line(error)}") from None
    except absl_flags.Error as error:
        raise UserError(_one_line(error)) from None
    return values, alone


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _flags(config: type) -> list[dataclasses.Field]:
    return [field for field in dataclasses.fields(config) if "help" in field.metadata]


def _define(config: type) -> absl_flags.FlagValues:
    values = absl_flags.FlagValues()
    kinds = flagfile.value_types(config)
    for field in _flags(config):
        define = _DEFINE[kinds[field.name]]
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        define(field.name, default, field.metadata["help"], flag_values=values)
    return values


_DEFINE = {
    str: absl_flags.DEFINE_string,
    int: absl_flags.DEFINE_integer,
    float: absl_flags.DEFINE_float,
    bool: absl_flags.DEFINE_bool,
    tuple: absl_flags.DEFINE_multi_string,
}


def _given(values: absl_flags.FlagValues) -> dict:
    given = {name: values[name].value for name in values}
    return {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}


def _recorded(values: absl_flags.FlagValues, verb: str) -> pathlib.Path:
    """The flagfile of the finished run that `evaluate` and `export` go by."""
    run_dir = values["run_dir"].value
    if not run_dir:
        raise UserError(f"{verb} needs --run_dir, the folder of a finished run.")
    recorded = pathlib.Path(run_dir) / layout.SETTINGS
    if not recorded.is_file():
        raise UserError(
            f"--run_dir={run_dir} holds no {layout.SETTINGS}, so it is not a run's folder."
        )
    return recorded


def _flag_help(field: dataclasses.Field, width: int) -> list[str]:
    text = re.sub(r"\{(\w+)\}", lambda kind: _names(kind[1]), field.metadata["help"])
    default = field.default
    if isinstance(default, tuple):
        default = ", ".join(default) or None
    if default is not None and default is not False:
        text += f" [{flagfile.written(default)}]"
    return textwrap.wrap(
        f"{'--' + field.name:22} {text}",
        width,
        initial_indent="  ",
        subsequent_indent=" " * 25,
    )


def _names(kind: str) -> str:
    return ", ".join(catalog.names(kind))
