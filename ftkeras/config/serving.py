"""What `serve` and `deploy` are told."""

from dataclasses import dataclass

from ftkeras.config.run import flag
from ftkeras.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ServeConfig:
    """What `serve` is told."""

    model: str | None = flag(
        None,
        "Model",
        "An exported model: saved_models/<task>, whose newest version is served, or one version "
        "in it.",
    )
    name: str | None = flag(None, "Model", "Its name in URLs. Default: the folder's.")
    label: tuple[str, ...] = flag(
        (), "Model", "A name for a version, kept beside the newest: stable=1; repeatable."
    )
    poll_seconds: float = flag(1.0, "Model", "How often to look for a new version.")
    host: str = flag(
        "127.0.0.1", "Network", "The address to listen at; 0.0.0.0 for other machines too."
    )
    port: int = flag(8501, "Network", "The port; 0 for a free one.")
    max_request_bytes: int = flag(8 * 2**20, "Network", "A larger request is refused.")
    timeout: float = flag(30.0, "Network", "Seconds that an answer may take.")
    batching: str | None = flag(
        None,
        "Batching",
        "A batching.config of TensorFlow Serving's; none for no batches. Default: up to 32 texts.",
    )
    debug: bool = flag(False, "Output", "Show tracebacks and TensorFlow's own messages.")

    def __post_init__(self):
        if not 0 <= self.port <= 65535:
            raise UserError(f"`port` must be between 0 and 65535. Received: {self.port}.")
        for name in ("poll_seconds", "max_request_bytes", "timeout"):
            if getattr(self, name) <= 0:
                raise UserError(f"`{name}` must be positive. Received: {getattr(self, name)}.")
        for given in self.label:
            label, _, version = given.partition("=")
            if not label or not version.isdecimal():
                raise UserError(f"`label` must read name=version. Received: {given}.")

    @property
    def labels(self) -> dict[str, int]:
        """Versions by the labels that name them."""
        pairs = (given.partition("=") for given in self.label)
        return {label: int(version) for label, _, version in pairs}


@dataclass(frozen=True, kw_only=True)
class DeployConfig:
    """What `deploy` is told."""

    model: str | None = flag(None, "Model", "An exported model: saved_models/<task>.")
    name: str | None = flag(None, "Model", "Its name in URLs. Default: the folder's.")
    stable: int | None = flag(
        None,
        "Model",
        "The version of the label stable; a newer one gets the label canary. Default: the one that "
        "--output has, else the newest.",
    )
    output: str | None = flag(None, "Output", "The folder to write. Default: deploy-<name>.")
    image: str = flag("tensorflow/serving:2.21.0", "Output", "The image that is run.")
    batch_size: int = flag(32, "Output", "Texts that are run together at most.")
    debug: bool = flag(False, "Output", "Show tracebacks.")

    def __post_init__(self):
        if self.batch_size < 1:
            raise UserError(f"`batch_size` must be at least 1. Received: {self.batch_size}.")
