"""Texts that the page offers: some of the samples of the run that the model is from."""

import ipaddress
import pathlib
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ftkeras.errors import UserError
from ftkeras.runs import exported, layout, samples
from ftkeras.runs import problem as recorded_problem
from ftkeras.support import files, in_words

NONE = "none"
MOST = 20
# Characters of a text with its pair; longer ones are not offered.
LONGEST = 2_000


@dataclass(frozen=True)
class Examples:
    """Texts with their true answers.

    Attributes:
        texts: "text", "truth", and of pairs "pair".
        origin: what they are of.
        message: what is offered and why, in a line.
        only_here: whether they are for this machine alone.
    """

    texts: Sequence[Mapping[str, str]] = ()
    origin: str = ""
    message: str = "the page has no examples"
    only_here: bool = False

    def are_for(self, host: str) -> bool:
        """Return whether a page that was asked for under a host name, such as `a.org:80`, has them.

        A page of another site can make its own name stand for 127.0.0.1, and read what is answered
        (DNS rebinding); under an address, or under the name localhost, it can't.
        """
        return not self.only_here or _is_local_name(host)


def find(wanted: str | None, version: pathlib.Path, *, host: str) -> Examples:
    """Return the texts that the page offers.

    Args:
        wanted: the folder of a run, "none", or None for the run that wrote the model.
        version: the folder of the version that is served.
        host: the address that the server listens on.

    Raises:
        UserError: if `wanted` is not the folder of a run with samples.
    """
    if wanted == NONE:
        return Examples(message="the page has no examples, as examples=none says")
    if wanted is not None:
        return read(pathlib.Path(wanted))
    try:
        run_dir = _own_run(version, host)
        examples = read(run_dir)
    except UserError as error:
        return Examples(message=f"the page has no examples: {error}")
    message = f"{examples.message}; examples=none hides them"
    return Examples(examples.texts, examples.origin, message, only_here=True)


def read(run_dir: pathlib.Path) -> Examples:
    """Return samples of a run that are not long, evenly spread.

    Raises:
        UserError: if it is not the folder of a run with samples.
    """
    problem, rows = recorded_problem.of_run(run_dir), samples.read(run_dir)
    short = [row for row in rows if len(row["text"]) + len(row.get("pair", "")) <= LONGEST]
    places = np.unique(np.linspace(0, len(short) - 1, min(MOST, len(short))).round().astype(int))
    texts = [
        {
            **{name: short[at][name] for name in ("text", "pair") if name in short[at]},
            "truth": in_words.show(problem.truth(short[at]).values(), short[at]["text"]),
        }
        for at in places
    ]
    split = rows[0]["id"].rpartition("-")[0] if rows else "the run"
    message = f"the page offers {len(texts)} texts of {run_dir / layout.SAMPLES}"
    return Examples(texts, f"the run's {split} data", message)


def _own_run(version: pathlib.Path, host: str) -> pathlib.Path:
    """Return the folder of the run that wrote a version of the model.

    Raises:
        UserError: if its texts are not to be shown, or it is not there.
    """
    if not _is_this_machine(host):
        raise UserError(f"host={host} is open to other machines; name a run with `examples`")
    run_dir = exported.run_of(version)
    if run_dir is None or not (run_dir / layout.SAMPLES).is_file():
        raise UserError("the run that wrote the model is not there; name one with `examples`")
    report = files.read_json(run_dir / layout.REPORT_FIGURES)
    if report.get("errors", {}).get("texts") is False:
        raise UserError("the report of its run was written without texts; see `examples`")
    return run_dir


def _is_local_name(host: str) -> bool:
    """Return whether a host and a port are an address or localhost."""
    try:
        name = urllib.parse.urlsplit(f"//{host}").hostname or ""
        if name != "localhost":
            ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
