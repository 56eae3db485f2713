"""The verbs as functions. Their arguments are the flags of the command line."""

import inspect
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from ftkeras.api import arguments
from ftkeras.api.configuring import AnyRun, configured, configured_for_run, path_of, recorded
from ftkeras.api.results import Evaluation, Run, run_folder
from ftkeras.api.searches import CrossValidation, Search
from ftkeras.api.session import session
from ftkeras.api.settings import (
    CrossvalidateSettings,
    Data,
    PretrainSettings,
    ReportSettings,
    TrainSettings,
    TuneSettings,
)
from ftkeras.config import flagfile
from ftkeras.config.measuring import CompareConfig, CrossvalidateConfig
from ftkeras.config.pretrain import PretrainConfig
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.config.verbs import PushConfig, ReportConfig, formats_again
from ftkeras.errors import UserError

if TYPE_CHECKING:
    import keras


def train(
    data: Data = None,
    *,
    verbose: bool | int = 1,
    callbacks: "Sequence[keras.callbacks.Callback]" = (),
    **settings: Unpack[TrainSettings],
) -> Run:
    """Fine-tune an encoder, evaluate the best epoch on test, and export it.

    Args:
        data: examples: files as `--data` takes them, or a DataFrame, a list of dicts, a dict of
            columns, a `datasets.Dataset`, a `tf.data.Dataset` or a pair (texts, labels). Examples
            in memory are written into the run's folder. `train=`, `validation=` and `test=` are
            other names for `data=`, `validation_data=` and `test_data=`.
        verbose: 0 for warnings only.
        callbacks: Keras callbacks, called after those of the run. If one has `state()`, which
            returns JSON types, and `restore_state(state)`, its state is part of the checkpoints.
        **settings: the flags of `train`, as numbers, paths and lists: `help(ftkeras.train)`
            names them, and `ftkeras help train` describes them. None stands for the default.

    Raises:
        UserError: if a value is wrong.
        TypeError: if there is no such argument.
        Stopped: if the run was interrupted; its state has been saved. To resume it, call this again
            with `run_dir`.
    """
    given = arguments.expand_names("train", Config, {"data": data, **settings})
    with session(verbose), configured(Config, given, home="run_dir") as config:
        from ftkeras.verbs import train as verb

        return Run(verb.run(config, tuple(callbacks)).run_dir)


def pretrain(
    data: Data = None,
    *,
    verbose: bool | int = 1,
    callbacks: "Sequence[keras.callbacks.Callback]" = (),
    **settings: Unpack[PretrainSettings],
) -> Run:
    """Pretrain an encoder by masked language modelling, on texts without labels.

    The folder of the run is an encoder for `train`: `train(data, encoder=run.folder)`.

    Args:
        data: texts, as `train` takes examples; labels are not read.
        verbose: 0 for warnings only.
        callbacks: Keras callbacks, as of `train`, whose exceptions this has too.
        **settings: those of `train`, and `masking` and `vocabulary_size`.
    """
    given = arguments.expand_names("pretrain", PretrainConfig, {"data": data, **settings})
    with session(verbose), configured(PretrainConfig, given, home="run_dir") as config:
        from ftkeras.verbs import pretrain as verb

        return Run(verb.run(config, tuple(callbacks)).run_dir)


def evaluate(
    run: AnyRun, data: Data = None, *, verbose: bool | int = 1, **settings: Unpack[TrainSettings]
) -> Evaluation:
    """Evaluate a finished run again, or on other data.

    Args:
        run: the run, or its folder.
        data: other examples, as `train` takes them; None for the run's own.
        verbose: 0 for warnings only.
        **settings: those of the data that differ from the run's, such as `text_column`.

    Raises:
        UserError: if a value is wrong, or the data have other labels.
        TypeError: if there is no such argument.
    """
    given = {"data": data, **settings}
    with session(verbose), configured_for_run("evaluate", Config, run, given) as config:
        from ftkeras.verbs import evaluate as verb

        found = verb.run(config)
        return Evaluation(found.run_dir, found.name)


def report(
    run: AnyRun, data: Data = None, *, verbose: bool | int = 1, **settings: Unpack[ReportSettings]
) -> pathlib.Path:
    """Write the page about a finished run; return its path.

    Args:
        run: the run, or its folder.
        data: other examples to evaluate the run on, as `train` takes them; None for its own.
        verbose: 0 for warnings only.
        **settings: `texts`, False for a page without the text of any example; `baseline`, "none"
            for no comparison with a linear model; and those of the data that differ from the
            run's.

    Raises:
        UserError: if a value is wrong, or matplotlib or jinja2 is not installed.
        TypeError: if there is no such argument.
    """
    given = {"data": data, **settings}
    with session(verbose), configured_for_run("report", ReportConfig, run, given) as config:
        from ftkeras.verbs import report as verb

        return verb.run(config)


def export(
    run: AnyRun, *, verbose: bool | int = 1, **settings: Unpack[TrainSettings]
) -> tuple[pathlib.Path, ...]:
    """Export a finished run again; return where the exports are.

    Args:
        run: the run, or its folder.
        verbose: 0 for warnings only.
        **settings: `export`, `export_dir`, `name` and `force`; by default, the run's.

    Raises:
        UserError: if a value is wrong, or an exporter refuses the model.
        TypeError: if there is no such argument.
    """
    home = run_folder(path_of(run))
    changed = arguments.values(Config, arguments.expand_names("export", Config, settings))
    with session(verbose):
        from ftkeras.verbs import export as verb

        given = recorded(home)
        given["export"] = formats_again(given["export"])
        return verb.run(Config(**{**given, **changed, "run_dir": str(home)}))


def push(run: AnyRun, repo: str, *, private: bool = False, verbose: bool | int = 1) -> str:
    """Upload a finished run to the Hugging Face Hub, with a model card; return its address.

    Args:
        run: the run, or its folder.
        repo: the repository, as user/name; created if there is none.
        private: whether a new repository is private.
        verbose: 0 for warnings only.

    Raises:
        UserError: if transformers has no class for the model, there is no token, or the Hub refuses
            it.
    """
    config = PushConfig(run_dir=str(run_folder(path_of(run))), repo=repo, private=private)
    with session(verbose):
        from ftkeras.verbs import push as verb

        return verb.run(config)


def crossvalidate(
    data: Data = None, *, verbose: bool | int = 1, **settings: Unpack[CrossvalidateSettings]
) -> CrossValidation:
    """Train and evaluate once per fold, each in a process of its own.

    Args:
        data: as `train` takes them.
        verbose: 0 for warnings only.
        **settings: those of `train`, and `folds`, `repeats`, `parallel` and `keep_weights`.

    Raises:
        UserError: if a value is wrong, or a fold fails.
        TypeError: if there is no such argument.
    """
    kind = CrossvalidateConfig
    given = arguments.expand_names("crossvalidate", kind, {"data": data, **settings})
    with session(verbose), configured(kind, given, home="run_dir") as config:
        from ftkeras.verbs import crossvalidate as verb

        found = verb.run(config)
        return CrossValidation(found.folder, found.result)


def tune(data: Data = None, *, verbose: bool | int = 1, **settings: Unpack[TuneSettings]) -> Search:
    """Search for good hyperparameters, each trial in a process of its own.

    Args:
        data: as `train` takes them.
        verbose: 0 for warnings only.
        **settings: those of `train`, and `search`, such as
            `{"learning_rate": "log(1e-5, 1e-4)"}`, `oracle`, `max_trials`, `max_hours`,
            `executions_per_trial`, `retrain` and `search_dir`.

    Raises:
        UserError: if a value is wrong, all of the first trials fail, or a package is missing.
        TypeError: if there is no such argument.
    """
    given = arguments.expand_names("tune", TuneConfig, {"data": data, **settings})
    with session(verbose), configured(TuneConfig, given, home="search_dir") as config:
        from ftkeras.verbs import tune as verb

        found = verb.run(config)
        if found is None:
            raise UserError("`tune` can't be called from Python in a worker of a search.")
        return Search(found.folder, found.trials, found.best)


def compare(
    *runs: AnyRun | CrossValidation, verbose: bool | int = 1, **settings: Any
) -> dict[str, Any]:
    """Compare finished runs on the same examples, with intervals and statistical tests.

    Args:
        *runs: two or more runs or cross-validations, or their folders.
        verbose: 0 for warnings only.
        **settings: the flags of `compare`: `split`, `confidence`, `resamples`, `seed`,
            `disagreements` and `output`.

    Returns:
        What compare.json has.

    Raises:
        UserError: if the runs can't be compared.
        TypeError: if there is no such argument.
    """
    given = arguments.expand_names("compare", CompareConfig, settings)
    folders = tuple(str(path_of(run)) for run in runs)
    config = CompareConfig(**arguments.values(CompareConfig, given), folders=folders)
    with session(verbose):
        from ftkeras.verbs import compare as verb

        return verb.run(config)


def _show_arguments(function: Any, kind: type) -> None:
    """Let `help` and editors name the arguments of a function that takes those of a verb."""
    signature = inspect.signature(function)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    named = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
        for name in flagfile.value_types(kind)
        if name not in signature.parameters
    ]
    function.__signature__ = signature.replace(parameters=[*own, *named])


for _function, _kind in (
    (train, Config),
    (pretrain, PretrainConfig),
    (evaluate, Config),
    (report, ReportConfig),
    (crossvalidate, CrossvalidateConfig),
    (tune, TuneConfig),
    (compare, CompareConfig),
):
    _show_arguments(_function, _kind)
