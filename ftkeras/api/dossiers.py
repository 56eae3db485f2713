"""Write compliance dossiers from Python."""

import pathlib
from typing import Any

from ftkeras.api import arguments
from ftkeras.api.configuring import AnyRun, path_of
from ftkeras.api.results import run_folder
from ftkeras.api.session import AnyReporter, session
from ftkeras.config.dossier import DossierConfig


def dossier(
    run: AnyRun, *, verbose: bool | int = 1, reporter: AnyReporter = "auto", **settings: Any
) -> pathlib.Path:
    """Write the compliance dossier of a finished run, and return the path of its page.

    The folder of the page also has a JSON file for each part, such as `memorization.json`.

    Args:
        run: the run, or its folder.
        verbose: 0 shows warnings only.
        reporter: as in `train`.
        **settings: the flags of `dossier`: `about`, `require`, `license_policy`, `groups`,
            `vulnerabilities`, `shadow_runs`, `prove`, `sign`, `texts` and `output`.

    Raises:
        UserError: if a value is wrong or a package is not installed.
        Blocked: if a required clause is missing, or a license is refused. The dossier was written
            before. It is a subclass of `UserError`.
        TypeError: if `settings` has a name that is no flag of `dossier`.
    """
    given = {"run_dir": run_folder(path_of(run)), **settings}
    expanded = arguments.expand_names("dossier", DossierConfig, given)
    config = arguments.configuration(DossierConfig, expanded)
    with session(verbose, reporter):
        from ftkeras.verbs import dossier as verb

        return verb.run(config)
