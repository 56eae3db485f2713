"""The verbs of the command line: what each does, and the configuration its flags fill."""

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

from ftkeras.config import encoders, find_rate, measuring, plot, pretrain, tune
from ftkeras.config.dossier import DossierConfig
from ftkeras.config.drift import DriftConfig
from ftkeras.config.explain import ExplainConfig
from ftkeras.config.launch import LaunchConfig
from ftkeras.config.predict import PredictConfig
from ftkeras.config.push import PushConfig
from ftkeras.config.report import ReportConfig
from ftkeras.config.run import Config
from ftkeras.config.selection import SelectConfig
from ftkeras.config.serving import DeployConfig, ServeConfig
from ftkeras.runs import changes


def flag_fields(config: type) -> list[dataclasses.Field]:
    """Return the fields of a configuration that are flags."""
    return [field for field in dataclasses.fields(config) if "help" in field.metadata]


# The names of train's flags.
OF_TRAIN = frozenset(field.name for field in flag_fields(Config))


@dataclass(frozen=True)
class Verb:
    """A verb of the command line.

    Attributes:
        summary: what it does, in one line.
        config: the dataclass that its flags fill.
        example: arguments for its help page.
        groups: the groups of flags that its help page shows; None for all.
        takes: the flags of train that have an effect on it, which alone its help page shows.
        positional: the field that takes the arguments without a flag; None if there may be none.
        needs_tensorflow: whether it imports TensorFlow for Python, which takes seconds.
        reads_run: whether `run_dir`, if it is given, is the folder of a run that exists.
    """

    summary: str
    config: type
    example: str
    groups: tuple[str, ...] | None = None
    takes: Collection[str] = OF_TRAIN
    positional: str | None = None
    needs_tensorflow: bool = True
    reads_run: bool = False


VERBS = {
    "train": Verb(
        "Fine-tune an encoder, evaluate the best epoch on test, and export it.",
        Config,
        "reviews.csv --encoder=bert-base-uncased",
        positional="data",
    ),
    "evaluate": Verb(
        "Evaluate a finished run again, on its own data or on other data.",
        Config,
        "--run_dir=runs/reviews/… --data=later.csv",
        groups=("Data", "Output"),
        takes=changes.CHANGEABLE["evaluate"],
        reads_run=True,
    ),
    "export": Verb(
        "Export a finished run again, or to other formats.",
        Config,
        "--run_dir=runs/imdb/…",
        groups=("Output",),
        takes=changes.CHANGEABLE["export"],
        reads_run=True,
    ),
    "report": Verb(
        "Write the report of a finished run: metrics, curves, errors, and how to use it.",
        ReportConfig,
        "--run_dir=runs/reviews/… --data=later.csv",
        groups=("Report", "Data"),
        takes=changes.CHANGEABLE["report"],
        reads_run=True,
    ),
    "dossier": Verb(
        "Write a compliance dossier about a finished run: data, licenses, clauses.",
        DossierConfig,
        "--run_dir=runs/reviews/… --about=about.yaml --require=nist_ai_rmf",
        reads_run=True,
    ),
    "pretrain": Verb(
        "Pretrain an encoder on texts without labels, before train.",
        pretrain.PretrainConfig,
        "--task=imdb --run_dir=runs/imdb/pretrained",
        takes=OF_TRAIN.difference(pretrain.REFUSED, pretrain.UNUSED),
        positional="data",
    ),
    "push": Verb(
        "Upload a finished run to the Hugging Face Hub, with a model card.",
        PushConfig,
        "--run_dir=runs/reviews/… --repo=user/reviews",
        reads_run=True,
    ),
    "predict": Verb(
        "Predict texts, or the rows of a file, with an exported model.",
        PredictConfig,
        "--model=saved_models/reviews --input=new.csv --output=answers.csv",
        needs_tensorflow=False,
    ),
    "select": Verb(
        "Select the texts to label next, or find labels that are probably wrong.",
        SelectConfig,
        "--run_dir=runs/reviews/… --data=more.csv --output=next.csv",
        reads_run=True,
    ),
    "explain": Verb(
        "Explain answers: how much each token or word of a text contributes.",
        ExplainConfig,
        "--run_dir=runs/reviews/… --text='Not bad at all.'",
        reads_run=True,
    ),
    "serve": Verb(
        "Serve a model over HTTP like TensorFlow Serving, with a web page to try it.",
        ServeConfig,
        "--model=saved_models/imdb",
    ),
    "drift": Verb(
        "Test whether texts and answers have drifted, using the statistics that serve logs.",
        DriftConfig,
        "--run_dir=runs/reviews/… --statistics=answers.jsonl --require",
        needs_tensorflow=False,
        reads_run=True,
    ),
    "deploy": Verb(
        "Write the files to run TensorFlow Serving in Docker Compose or Kubernetes.",
        DeployConfig,
        "--model=saved_models/imdb",
    ),
    "crossvalidate": Verb(
        "Train and evaluate once per fold, and report each metric with its interval.",
        measuring.CrossvalidateConfig,
        "--task=imdb --folds=5 --repeats=2",
        takes=OF_TRAIN.difference(measuring.REFUSED),
        positional="data",
    ),
    "compare": Verb(
        "Compare finished runs on the same examples, with intervals and statistical tests.",
        measuring.CompareConfig,
        "runs/imdb/full-1 runs/imdb/full-2 runs/imdb/lora-1 runs/imdb/lora-2",
        positional="folders",
    ),
    "encoders": Verb(
        "List the families of encoders, or measure which sizes fit your data and budget.",
        encoders.EncodersConfig,
        "reviews.csv --max_ms=20 --max_mb=200",
        takes=encoders.USED,
        positional="data",
    ),
    "plot": Verb(
        "Plot the learning rate over a run without training.",
        plot.PlotConfig,
        '"--schedule=cosine(cycles=2)" --learning_rate=2e-5 --steps=1000',
        takes=plot.USED,
    ),
    "find_rate": Verb(
        "Run a learning-rate range test on a few batches, and suggest a learning rate.",
        find_rate.FindRateConfig,
        "--task=imdb --encoder=bert-base-uncased",
        takes=OF_TRAIN.difference(find_rate.REFUSED, find_rate.UNUSED),
        positional="data",
    ),
    "tune": Verb(
        "Search for good settings, and write the best as a flagfile for train.",
        tune.TuneConfig,
        "--task=imdb --search='learning_rate=log(1e-5, 1e-4)' --max_trials=12",
        takes=OF_TRAIN.difference(tune.REFUSED),
        positional="data",
    ),
    "launch": Verb(
        "Run train or tune with several worker processes on this machine.",
        LaunchConfig,
        "--workers=2 --restarts=3 -- --task=imdb --checkpoint_every=500",
    ),
}


def shown_flags(verb: str) -> list[dataclasses.Field]:
    """Return the flags that a verb's help page and its completion show."""
    entry = VERBS[verb]
    return [
        field
        for field in flag_fields(entry.config)
        if (entry.groups is None or field.metadata["group"] in entry.groups)
        and (field.name in entry.takes or field.name not in OF_TRAIN)
    ]
