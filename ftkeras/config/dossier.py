"""The configuration of `dossier`."""

from dataclasses import dataclass

from ftkeras.config import shared_flags
from ftkeras.config.fields import WithPaths, flag
from ftkeras.errors import UserError


@dataclass(frozen=True, kw_only=True)
class DossierConfig(WithPaths):
    """The configuration of `dossier`."""

    run_dir: str | None = flag(None, "Dossier", "Folder of a finished run.", path=True)
    about: str | None = flag(
        None,
        "Dossier",
        "A YAML file with your statements about the model and its data; `template` writes a form "
        "to fill in.",
        path=True,
    )
    template: str | None = flag(
        None,
        "Dossier",
        "Write a form for `about`, with a comment about each key, to this file, and end.",
        path=True,
    )
    require: tuple[str, ...] = flag(
        (),
        "Dossier",
        "A list of clauses: eu_ai_act_annex_iv, nist_ai_rmf, iso_iec_42001, hugging_face_card, or "
        "a YAML file. If a clause is missing, the exit code is 3. Repeatable.",
    )
    license_policy: str = flag(
        "report",
        "Dossier",
        "Which licenses to refuse with exit code 3. report: none. conflicts: those that conflict "
        "with the stated use. strict: also unknown ones. Or a YAML file with allow and deny.",
    )
    groups: tuple[str, ...] = flag(
        (),
        "Dossier",
        "A column of the data whose values are groups of people. The model is compared across "
        "them. Repeatable.",
    )
    vulnerabilities: str | None = flag(
        None,
        "Dossier",
        "A database of known vulnerabilities in the OSV format: a JSON file, a folder or a ZIP of "
        "such files. Installed packages are looked up in it.",
        path=True,
    )
    shadow_runs: int = flag(
        0,
        "Dossier",
        "Train this many more models, each on half of the texts in question, to test more strongly "
        "whether the model remembers its training texts. An even number, such as 8.",
    )
    prove: bool = flag(
        False,
        "Dossier",
        "Train the run again in a new process, and compare the weights and answers bit by bit.",
    )
    sign: str | None = flag(
        None,
        "Dossier",
        "Sign the run's exports with this private key, a PEM file. serve --require_signature "
        "checks them with the public key.",
        path=True,
    )
    texts: bool = flag(
        True,
        "Dossier",
        "Read the run's data again. With `notexts`, the parts that need the data are missing.",
    )
    output: str | None = flag(
        None, "Dossier", "Folder to write to. Default: dossier in `run_dir`.", path=True
    )
    debug: bool = shared_flags.debug("Dossier")

    def __post_init__(self):
        super().__post_init__()
        if self.template is None and self.run_dir is None:
            raise UserError("dossier needs `run_dir`, the folder of a finished run, or `template`.")
        if self.shadow_runs < 0 or self.shadow_runs % 2:
            raise UserError(
                f"`shadow_runs` must be an even number of at least 0. Received: {self.shadow_runs}."
            )
        if len(set(self.require)) < len(self.require):
            raise UserError(f"`require` names a list twice. Received: {', '.join(self.require)}.")
