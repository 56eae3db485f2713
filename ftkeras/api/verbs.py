"""Verbs of the command line as functions. Their arguments are the flags of the verbs."""

import os
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from ftkeras.api import arguments
from ftkeras.api.configuring import AnyRun, configured, configured_for_run, path_of, recorded
from ftkeras.api.results import Evaluation, Run, run_folder
from ftkeras.api.searches import CrossValidation, Search
from ftkeras.api.session import AnyReporter, session
from ftkeras.api.settings import (
    CrossvalidateSettings,
    Data,
    PretrainSettings,
    ReportSettings,
    TrainSettings,
    TuneSettings,
)
from ftkeras.config.export import formats_again
from ftkeras.config.measuring import CompareConfig, CrossvalidateConfig
from ftkeras.config.pretrain import PretrainConfig
from ftkeras.config.push import PushConfig
from ftkeras.config.report import ReportConfig
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import UserError

if TYPE_CHECKING:
    import keras


@arguments.data_in_one
def train(
    data: Data = arguments.DATA_OF_TASK,
    *,
    verbose: bool | int = 1,
    reporter: AnyReporter = "auto",
    callbacks: "keras.callbacks.Callback | Sequence[keras.callbacks.Callback]" = (),
    **settings: Unpack[TrainSettings],
) -> Run:
    """Fine-tune an encoder, evaluate the best epoch on test, and export it.

    For example, `ftkeras.train("reviews.csv", encoder="bert-base-uncased")`.

    Args:
        data: the training examples: a file, a folder or a pattern, as `--data` takes them, or a
            DataFrame, a list of dicts, a dict of columns, a `datasets.Dataset`, a
            `tf.data.Dataset` or a pair (texts, labels). Examples in memory are written to the
            run's folder. Without it, the data of `task`; None is refused. `train=`, `validation=`
            and `test=` are other names for `data=`, `validation_data=` and `test_data=`.
        verbose: 0 to show only warnings.
        reporter: who shows messages and progress: "terminal" (bars on standard error), "notebook"
            (bars in a notebook), "lines", "silent" (warnings only), a `ftkeras.Reporter` of your
            own, or "auto", which chooses among the first three.
        callbacks: Keras callbacks, or one, called after the run's own. The state of a callback is
            kept in checkpoints if it has `state()`, which returns JSON types, and
            `restore_state(state)`.
        **settings: the flags of `train`, as numbers, paths and lists. `help(ftkeras.train)` lists
            them, and `ftkeras help train` describes them. None stands for the default.

    Raises:
        UserError: if a value is wrong.
        TypeError: if an argument does not exist.
        Stopped: if the run was interrupted. Its state was saved; to resume, repeat the call with
            `run_dir`.
    """
    given = arguments.expand_names("train", Config, arguments.with_data(data, settings))
    with session(verbose, reporter), configured(Config, given, home="run_dir") as config:
        from ftkeras.verbs import train as verb

        return Run(verb.run(config, arguments.callbacks(callbacks)).run_dir)


@arguments.data_in_one
def pretrain(
    data: Data = arguments.DATA_OF_TASK,
    *,
    verbose: bool | int = 1,
    reporter: AnyReporter = "auto",
    callbacks: "keras.callbacks.Callback | Sequence[keras.callbacks.Callback]" = (),
    **settings: Unpack[PretrainSettings],
) -> Run:
    """Pretrain an encoder by masked language modelling, on texts without labels.

    To fine-tune the result: `train(data, encoder=run.folder)`.

    Args:
        data: the texts, in any form that `train` takes; labels are not read.
        verbose: 0 to show only warnings.
        reporter: as in `train`.
        callbacks: Keras callbacks, as in `train`.
        **settings: those of `train`, and `masking` and `vocabulary_size`.

    Raises:
        UserError: as `train`.
        TypeError: as `train`.
        Stopped: as `train`.
    """
    given = arguments.expand_names("pretrain", PretrainConfig, arguments.with_data(data, settings))
    with session(verbose, reporter), configured(PretrainConfig, given, home="run_dir") as config:
        from ftkeras.verbs import pretrain as verb

        return Run(verb.run(config, arguments.callbacks(callbacks)).run_dir)


@arguments.data_in_one
def evaluate(
    run: AnyRun,
    data: Data = None,
    *,
    verbose: bool | int = 1,
    reporter: AnyReporter = "auto",
    **settings: Unpack[TrainSettings],
) -> Evaluation:
    """Evaluate a finished run, on its own data or on other data.

    Args:
        run: the run, or its folder.
        data: other labelled examples, in any form that `train` takes; None for the run's own.
        verbose: 0 to show only warnings.
        reporter: as in `train`.
        **settings: settings of the data that differ from the run's, such as `text_column`, and how
            it is read, such as `batch_size`. Others must be the run's.

    Raises:
        UserError: if a value is wrong, or the data have labels that the run does not know.
        TypeError: if an argument does not exist.
    """
    given = {"data": data, **settings}
    with session(verbose, reporter), configured_for_run("evaluate", Config, run, given) as config:
        from ftkeras.verbs import evaluate as verb

        found = verb.run(config)
        return Evaluation(found.run_dir, found.name)


@arguments.data_in_one
def report(
    run: AnyRun,
    data: Data = None,
    *,
    verbose: bool | int = 1,
    reporter: AnyReporter = "auto",
    **settings: Unpack[ReportSettings],
) -> pathlib.Path:
    """Write the report of a finished run, an HTML page, and return its path.

    Args:
        run: the run, or its folder.
        data: other labelled examples to evaluate the run on, in any form that `train` takes; None
            for the run's own.
        verbose: 0 to show only warnings.
        reporter: as in `train`.
        **settings: `texts`, False for a page without texts of examples; `baseline`, "none" to skip
            the comparison with a linear model; `slices`, `slice` and `explanations`; and settings
            of the data that differ from the run's.

    Raises:
        UserError: if a value is wrong, or matplotlib or jinja2 is not installed.
        TypeError: if an argument does not exist.
    """
    given = {"data": data, **settings}
    with (
        session(verbose, reporter),
        configured_for_run("report", ReportConfig, run, given) as config,
    ):
        from ftkeras.verbs import report as verb

        return verb.run(config)


def export(
    run: AnyRun,
    *,
    export: str | Sequence[str] | None = None,
    export_dir: str | os.PathLike[str] | None = None,
    name: str | None = None,
    force: bool | None = None,
    verbose: bool | int = 1,
    reporter: AnyReporter = "auto",
) -> tuple[pathlib.Path, ...]:
    """Export a finished run, and return the paths of the exports.

    Args:
        run: the run, or its folder.
        export: the formats, as the flag takes them. This and the others are by default the run's.
        export_dir: the folder of all exports.
        name: the name of the export.
        force: whether to export outputs, labels or inputs that differ from the newest version's.
        verbose: 0 to show only warnings.
        reporter: as in `train`.

    Raises:
        UserError: if a value is wrong, or a format does not support the model.
        TypeError: if an argument does not exist.
    """
    home = run_folder(path_of(run))
    flags = {"export": export, "export_dir": export_dir, "name": name, "force": force}
    changed = arguments.values(Config, arguments.expand_names("export", Config, flags))
    with session(verbose, reporter):
        from ftkeras.verbs import export as verb

        given = arguments.recorded(recorded(home))
        given["export"] = formats_again(given["export"])
        return verb.run(Config(**{**given, **changed, "run_dir": str(home)}))


def push(
    run: AnyRun,
    repo: str,
    *,
    private: bool = False,
    verbose: bool | int = 1,
    reporter: AnyReporter = "auto",
) -> str:
    """Upload a finished run to the Hugging Face Hub, with a model card, and return its URL.

    Args:
        run: the run, or its folder.
        repo: the repository, `user/name`. It is created if it does not exist.
        private: whether to make a new repository private.
        verbose: 0 to show only warnings.
        reporter: as in `train`.

    Raises:
        UserError: if transformers has no class for the model, if there is no token, or if the Hub
            refuses the upload.
    """
    config = PushConfig(run_dir=str(run_folder(path_of(run))), repo=repo, private=private)
    with session(verbose, reporter):
        from ftkeras.verbs import push as verb

        return verb.run(config)


@arguments.data_in_one
def crossvalidate(
    data: Data = arguments.DATA_OF_TASK,
    *,
    verbose: bool | int = 1,
    reporter: AnyReporter = "auto",
    **settings: Unpack[CrossvalidateSettings],
) -> CrossValidation:
    """Cross-validate: train and evaluate one run per fold, each in its own process.

    Args:
        data: the examples, in any form that `train` takes.
        verbose: 0 to show only warnings.
        reporter: as in `train`.
        **settings: those of `train`, and `folds`, `repeats`, `parallel` and `keep_weights`.

    Raises:
        UserError: if a value is wrong, or a fold fails.
        TypeError: if an argument does not exist.
    """
    kind = CrossvalidateConfig
    given = arguments.expand_names("crossvalidate", kind, arguments.with_data(data, settings))
    with session(verbose, reporter), configured(kind, given, home="run_dir") as config:
        from ftkeras.verbs import crossvalidate as verb

        found = verb.run(config)
        return CrossValidation(found.folder, found.result)


@arguments.data_in_one
def tune(
    data: Data = arguments.DATA_OF_TASK,
    *,
    verbose: bool | int = 1,
    reporter: AnyReporter = "auto",
    **settings: Unpack[TuneSettings],
) -> Search:
    """Search for good settings; each trial is a run in its own process.

    Args:
        data: the examples, in any form that `train` takes.
        verbose: 0 to show only warnings.
        reporter: as in `train`.
        **settings: those of `train`, and `search`, `oracle`, `max_trials`, `max_hours`,
            `executions_per_trial`, `retrain` and `search_dir`. `search` is a dict from settings to
            ranges, such as `{"learning_rate": "log(1e-5, 1e-4)"}`.

    Raises:
        UserError: if a value is wrong, a package is missing, or the first trials all fail.
        TypeError: if an argument does not exist.
    """
    given = arguments.expand_names("tune", TuneConfig, arguments.with_data(data, settings))
    with session(verbose, reporter), configured(TuneConfig, given, home="search_dir") as config:
        from ftkeras.verbs import tune as verb

        found = verb.run(config)
        if found is None:
            raise UserError("`tune` can't be called from Python in a worker of a search.")
        return Search(found.folder, found.trials, found.best)


def compare(
    *runs: AnyRun | CrossValidation,
    verbose: bool | int = 1,
    reporter: AnyReporter = "auto",
    **settings: Any,
) -> dict[str, Any]:
    """Compare finished runs on the same test examples, with intervals and statistical tests.

    Args:
        *runs: two or more runs or cross-validations, or their folders.
        verbose: 0 to show only warnings.
        reporter: as in `train`.
        **settings: the flags of `compare`: `split`, `confidence`, `resamples`, `seed`,
            `disagreements` and `output`.

    Returns:
        The content of `compare.json`.

    Raises:
        UserError: if the runs can't be compared, for example because their examples differ.
        TypeError: if an argument does not exist.
    """
    given = arguments.expand_names("compare", CompareConfig, settings)
    folders = tuple(str(path_of(run)) for run in runs)
    config = CompareConfig(**arguments.values(CompareConfig, given), folders=folders)
    with session(verbose, reporter):
        from ftkeras.verbs import compare as verb

        return verb.run(config)


for _function, _kind in (
    (train, Config),
    (pretrain, PretrainConfig),
    (evaluate, Config),
    (report, ReportConfig),
    (crossvalidate, CrossvalidateConfig),
    (tune, TuneConfig),
    (compare, CompareConfig),
):
    arguments.show(_function, _kind)
