"""The configuration of `push`."""

import re
from dataclasses import dataclass

from ftkeras.config import shared_flags
from ftkeras.config.fields import WithPaths, flag
from ftkeras.errors import UserError

# A repository of the Hub.
_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]{0,95}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class PushConfig(WithPaths):
    """The configuration of `push`."""

    run_dir: str | None = flag(None, "Push", "Folder of a finished run.", path=True)
    repo: str | None = flag(
        None, "Push", "The model's repository on the Hugging Face Hub, as user/name."
    )
    private: bool = flag(False, "Push", "Make a new repository private.")
    debug: bool = shared_flags.debug("Push")

    def __post_init__(self):
        super().__post_init__()
        if not self.run_dir:
            raise UserError("push needs `run_dir`, the folder of a finished run.")
        if self.repo is None:
            raise UserError("push needs `repo`, the repository on the Hub, as user/name.")
        if not _REPOSITORY.fullmatch(self.repo):
            raise UserError(
                "`repo` must be user/name, of letters, digits, -, _ and dots. "
                f"Received: {self.repo!r}."
            )
