"""The files of a deployment as text."""

import pathlib
from collections.abc import Mapping

from ftkeras.serving.manifests import Plan


def text(output: pathlib.Path, plan: Plan, wanted: Mapping[str, int]) -> str:
    """Return where the files are, and which version each label names now and later.

    Args:
        output: the folder of the files.
        plan: what the files say.
        wanted: the labels that the user wants.
    """
    lines = [f"deploy  {output}"]
    for label, version in plan.labels.items():
        if wanted[label] == version:
            lines.append(f"        {label} is version {version}")
        else:
            lines.append(
                f"        {label} stays version {version} while {wanted[label]} is loaded; "
                "run this again when it is"
            )
    return "\n".join(lines)
