"""Exporters, one per file: each writes a finished run's model in another format.

An exporter is constructed before training, so that it can refuse a model in time. It asks for its
arguments by name: `model`, `text_layer`, `labels`, `pairs` (whether texts come in pairs), `plain`
(whether the model is an encoder and a head, without layers that a policy added), `run_dir`,
`served_from` (the folder of the task's versions), `card` (the model card) and `force` (whether to
replace a version that has another problem, other labels or inputs). Its other arguments come from
the spec, such as `--export="saved_model(dtype='float16')"`.

`write()` writes the model with its present weights, verifies it, and returns the folder; `message`
is then a line about the result, or None. `experiment.exports.Exporter` is the interface.
"""

from typing import Protocol


class Card(Protocol):
    """The model card of a run."""

    def text(self) -> str:
        """Return the card in Markdown."""
        ...

    def hub_header(self) -> str:
        """Return the card's metadata as YAML for the Hugging Face Hub, between lines of `---`."""
        ...

    def license(self) -> str | None:
        """Return the license's identifier on the Hub; None if it is not known."""
