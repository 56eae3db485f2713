"""The files that run TensorFlow Serving on an exported model, with Docker Compose or Kubernetes."""

import json
import math
import os
import pathlib
import re
import shlex
import string
from collections.abc import Mapping
from dataclasses import dataclass

from ftkeras.errors import UserError

TEMPLATES = pathlib.Path(__file__).parent / "templates"
MODELS = "models.config"
_LONGEST_NAME = 63  # of a Kubernetes service, a DNS label


@dataclass(frozen=True)
class Plan:
    """The versions that a server loads, and the labels that name some of them."""

    versions: tuple[int, ...]
    labels: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server to write files for.

    Args:
        model: the folder of versions.
        name: the model's name in URLs.
        image: the container image to run.
        batch_size: the most texts in a batch.
        plan: the versions to load.
    """

    model: pathlib.Path
    name: str
    image: str
    batch_size: int
    plan: Plan


def versions(folder: pathlib.Path) -> set[int]:
    """Return the versions in a model's folder."""
    names = (path.parent.name for path in folder.glob("*/saved_model.pb"))
    return {int(name) for name in names if name.isdecimal()}


def read_plan(path: pathlib.Path) -> Plan | None:
    """Read the plan from a models.config that was written before.

    Returns:
        None if there is no such file.

    Raises:
        UserError: if it names no stable version.
    """
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    loaded = tuple(int(number) for number in re.findall(r"versions: (\d+)", text))
    labels = {k: int(v) for k, v in re.findall(r'key: "(\w+)" value: (\d+)', text)}
    if "stable" not in labels:
        raise UserError(
            f"`output`: {path} names no stable version; remove the file to write a new one."
        )
    return Plan(loaded, labels)


def choose_labels(available: set[int], stable: int | None, before: Plan | None) -> dict[str, int]:
    """Return the labels that the user wants: stable, and canary for a newer version.

    Args:
        available: the versions in the model's folder.
        stable: the version to label stable; by default the one that `before` has, or the newest.
        before: the plan that was written before, if any.

    Raises:
        UserError: if the stable version is not available.
    """
    newest = max(available)
    if stable is None:
        stable = before.labels["stable"] if before else newest
    if stable not in available:
        listed = ", ".join(map(str, sorted(available)))
        raise UserError(f"stable={stable} is not a version of the model. It has: {listed}.")
    return {"stable": stable, **({"canary": newest} if newest > stable else {})}


def next_plan(wanted: Mapping[str, int], before: Plan | None, available: set[int]) -> Plan:
    """Return a plan that a server with the plan `before` accepts, on the way to the wanted labels.

    TensorFlow Serving refuses a models.config that moves a label to a version it has not loaded
    (server_core.cc, UpdateModelVersionLabelMap); a new label may name any version. A label that
    would move too early therefore stays while its new version is loaded. The stable version of
    `before` stays loaded once more, so that one can go back to it.

    Raises:
        UserError: if a label must stay at a version that is not available.
    """
    labels = {}
    loaded = before.versions if before else ()
    for label, version in wanted.items():
        current = before.labels.get(label, version) if before else version
        labels[label] = version if current == version or version in loaded else current
        if labels[label] not in available:
            raise UserError(
                f"{label}={version}: {label} must stay version {current} while {version} is "
                f"loaded, but the folder of {current} is gone; restore it, or remove {MODELS} from "
                "`output` and start the server anew."
            )
    last_stable = {before.labels["stable"]} & available if before else set()
    return Plan(tuple(sorted({*wanted.values(), *labels.values(), *last_stable})), labels)


def render(server: Server, output: pathlib.Path) -> dict[str, str]:
    """Return the text of each file by its name.

    Args:
        server: the server to write files for.
        output: the folder of the files, from which paths are relative.
    """
    values = _values(server, output)
    return {
        path.name: string.Template(path.read_text(encoding="utf-8")).substitute(values)
        for path in sorted(TEMPLATES.glob("*.*"))
        if path.suffix in (".config", ".yaml")
    }


def _values(server: Server, output: pathlib.Path) -> dict[str, object]:
    """Return the values of the templates' variables."""
    labels = [
        f'    version_labels {{ key: "{label}" value: {version} }}'
        for label, version in server.plan.labels.items()
    ]
    folder = os.path.relpath(server.model, output)
    # Compose takes a path that does not start with a dot for the name of a volume.
    folder = folder if folder.startswith("..") else os.path.join(".", folder)
    return {
        "name": server.name,
        "object": _object_name(server.name),
        "image": server.image,
        "folder": folder,
        "source": _of_compose(folder),
        "versions": " ".join(f"versions: {version}" for version in server.plan.versions),
        "labels": "\n".join(labels),
        "batch_size": server.batch_size,
        "sizes": "\n".join(f"allowed_batch_sizes: {size}" for size in _sizes(server.batch_size)),
        "memory": _memory(server),
        "command": f"python -m ftkeras.main deploy {shlex.quote(f'--model={server.model}')}",
    }


def _of_compose(path: str) -> str:
    """Return a path as a string of a Compose file, in which $ would begin a variable.

    >>> print(_of_compose("../a: $b"))
    "../a: $$b"
    """
    return json.dumps(path.replace("$", "$$"), ensure_ascii=False)


def _object_name(name: str) -> str:
    """Return the name of a model's Kubernetes objects: lower-case ASCII letters, digits and -."""
    words = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"serving-{words}"[:_LONGEST_NAME].rstrip("-")


def _sizes(batch_size: int) -> list[int]:
    """Return the sizes that batches are padded to: 1, 2, 3, 4, 6, 8, 12, … up to `batch_size`.

    With sizes this close, padding is less than a third of a batch.
    """
    sizes = sorted({*(2**k for k in range(20)), *(3 * 2**k for k in range(20))})
    return [*(size for size in sizes if size < batch_size), batch_size]


def _memory(server: Server) -> str:
    """Return the memory limit: 2 GiB for TensorFlow, and three times the largest version."""
    folders = [server.model / str(version) for version in server.plan.versions]
    sizes = [sum(f.stat().st_size for f in v.rglob("*") if f.is_file()) for v in folders]
    return f"{math.ceil(2 + 3 * max(sizes) / 2**30)}Gi"
