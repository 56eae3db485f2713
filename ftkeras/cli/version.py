"""The versions that `--version` shows, read from the installed packages without importing them."""

import platform
from importlib import metadata

from ftkeras import __version__

PACKAGES = ("keras", "tensorflow", "tensorflow-text")


def text() -> str:
    """Return a line for ftkeras, for Python and for each main package."""
    versions = {"ftkeras": __version__, "python": platform.python_version()}
    versions |= {name: _installed(name) for name in PACKAGES}
    width = max(map(len, versions))
    return "\n".join(f"{name:{width}}  {version}" for name, version in versions.items())


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
