"""The configurations of `serve` and `deploy`."""

from dataclasses import dataclass

from ftkeras.config import shared_flags
from ftkeras.config.fields import WithPaths, check_at_least, check_positive, flag
from ftkeras.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ServeConfig(WithPaths):
    """The configuration of `serve`."""

    model: str | None = flag(
        None,
        "Model",
        "An exported model: saved_models/<name> to serve its newest version, a single version in "
        "it, or <run_dir>/onnx.",
        path=True,
    )
    name: str | None = flag(None, "Model", "The model's name in URLs. Default: the folder's name.")
    label: tuple[str, ...] = flag(
        (), "Model", "Also serve a version under a name, as in stable=1. Repeatable."
    )
    require_signature: str | None = flag(
        None,
        "Model",
        "A public key, a PEM file. Serve only versions that were signed with its private key and "
        "have not changed since.",
        path=True,
    )
    poll_seconds: float = flag(1.0, "Model", "Seconds between checks for a new version.")
    host: str = flag(
        "127.0.0.1",
        "Network",
        "Address to listen on; 0.0.0.0 accepts requests from other machines.",
    )
    port: int = flag(8501, "Network", "Port to listen on; 0 picks a free one.")
    max_request_bytes: int = flag(8 * 2**20, "Network", "Size above which a request is refused.")
    timeout: float = flag(30.0, "Network", "Seconds after which a request fails.")
    batching: str | None = flag(
        None,
        "Batching",
        "A batching.config file of TensorFlow Serving, or none to run each request alone. Default: "
        "batches of up to 32 texts.",
        path=True,
    )
    examples: str | None = flag(
        None,
        "Page",
        "Folder of a run, or none. The page offers its sample texts to everyone who opens it. "
        "Default: the run that wrote the model, if it is still there, its report has texts, and "
        "`host` is this machine alone.",
        path=True,
    )
    log_statistics: str | None = flag(
        None,
        "Output",
        "Add counts of labels, confidence, lengths and unknown tokens to this file, but no texts: "
        "a line of JSON for each window of time. The verb drift reads it.",
        path=True,
    )
    statistics_seconds: float = flag(3600.0, "Output", "Seconds in a window of that file.")
    debug: bool = shared_flags.debug()

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.port <= 65535:
            raise UserError(f"`port` must be between 0 and 65535. Received: {self.port}.")
        check_positive(self, "poll_seconds", "max_request_bytes", "timeout", "statistics_seconds")
        for given in self.label:
            label, _, version = given.partition("=")
            if not label or not version.isdecimal():
                raise UserError(f"`label` must read NAME=VERSION. Received: {given}.")
        if len(self.labels) < len(self.label):
            listed = ", ".join(self.label)
            raise UserError(f"`label` must give each name one version. Received: {listed}.")

    @property
    def labels(self) -> dict[str, int]:
        """Return the version that each label names."""
        pairs = (given.partition("=") for given in self.label)
        return {label: int(version) for label, _, version in pairs}


@dataclass(frozen=True, kw_only=True)
class DeployConfig(WithPaths):
    """The configuration of `deploy`."""

    model: str | None = flag(
        None,
        "Model",
        "An exported model: saved_models/<name>, or <run_dir>/onnx for a model repository of "
        "NVIDIA Triton.",
        path=True,
    )
    name: str | None = flag(
        None,
        "Model",
        "The model's name in URLs. Default: the folder's name. An ONNX model has no default.",
    )
    stable: int | None = flag(
        None,
        "Model",
        "Version to label stable. A newer version is labelled canary. Default: the version that is "
        "stable in `output`, or else the newest.",
    )
    output: str | None = flag(None, "Output", "Folder to write. Default: deploy-<name>.", path=True)
    image: str = flag(
        "tensorflow/serving:2.21.0", "Output", "Container image of TensorFlow Serving."
    )
    batch_size: int = flag(32, "Output", "Largest number of texts in a batch.")
    debug: bool = flag(False, "Output", "Show tracebacks.")

    def __post_init__(self):
        super().__post_init__()
        check_at_least(self, batch_size=1)
