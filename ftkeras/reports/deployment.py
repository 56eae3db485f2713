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


def triton_text(output: pathlib.Path, version: pathlib.Path) -> str:
    """Return where a model repository of Triton is, and the version that was written.

    Args:
        output: the folder of the files.
        version: the version's folder, `<output>/models/<name>/<version>`.
    """
    model = version.parent
    return (
        f"deploy  {output}\n"
        f"        {model.name} is version {version.name}, the newest, which Triton serves: "
        f"tritonserver --model-repository={model.parent}"
    )
