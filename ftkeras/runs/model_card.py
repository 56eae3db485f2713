"""The model card: what a model is for, how it was made, and how well it predicts.

Its sections follow Mitchell et al., 2019, https://arxiv.org/abs/1810.03993, as far as a run knows
their contents.
"""

import pathlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ftkeras.config import combinations, flagfile
from ftkeras.config.run import Config
from ftkeras.privacy import in_words
from ftkeras.problems import Problem
from ftkeras.runs import _hub_header
from ftkeras.runs import license as known_license
from ftkeras.runs import metrics as run_metrics
from ftkeras.support import plurals


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """A model card. The run's metrics are read from its folder when the card is rendered.

    Attributes:
        config: The run's configuration.
        run_dir: The run's folder.
        about: What the task asks, in a sentence or two.
        problem: What the model predicts about a text.
        pairs: Whether texts come in pairs.
        homepage: Where the data comes from, if known.
        citation: How to cite the data, if known.
        data_license: The license of the data, if known.
        language: The ISO 639-1 code of the data's language, if known.
        dataset: The data's id on the Hugging Face Hub, if it has one.
        checkpoint: The folder or Hub id of the pretrained encoder; None for random weights.
        layers: Layers of the encoder.
        hidden: Width of the encoder.
        heads: Attention heads of each layer.
        parameters: Parameters, including the head's.
    """

    config: Config
    run_dir: pathlib.Path
    about: str
    problem: Problem
    pairs: bool
    homepage: str | None
    citation: str | None
    data_license: str | None
    language: str | None
    dataset: str | None
    checkpoint: str | None
    layers: int
    hidden: int
    heads: int
    parameters: int

    def text(self) -> str:
        """Return the card in Markdown."""
        metrics = run_metrics.read_metrics(self.run_dir)
        versions = metrics.get("versions") or run_metrics.versions()
        sections = {
            "What it does": self._purpose(),
            "Data": self._data(metrics),
            "Encoder": self._encoder(),
            "Metrics": self._metrics(metrics),
            "Limits": self._limits(metrics),
            **({"Privacy": _privacy(metrics["privacy"])} if "privacy" in metrics else {}),
            "Settings": f"```\n{flagfile.render(self.config)}```",
            "Versions": _list(f"{name} {version}" for name, version in versions.items()),
        }
        title = f"# {self.task}: a {self.problem.kind}\n"
        return "\n".join([title, *(f"## {head}\n\n{body}\n" for head, body in sections.items())])

    def hub_header(self) -> str:
        """Return the card's metadata as YAML for the Hugging Face Hub, between lines of `---`."""
        return _hub_header.render(
            task=self.task,
            problem=self.problem,
            metrics=run_metrics.read_metrics(self.run_dir),
            language=known_license.language(self.checkpoint) or self.language,
            license=self.license(),
            dataset=self.dataset,
            checkpoint=self.checkpoint,
        )

    def license(self) -> str | None:
        """Return the license's identifier on the Hub; None if it is not known."""
        known = known_license.find(self.checkpoint)
        return known.identifier if known else None

    @property
    def task(self) -> str:
        """The task's name, without its arguments."""
        return self.config.task.partition("(")[0]

    def _purpose(self) -> str:
        takes = "two texts" if self.pairs else "a text"
        return f"{self.about}\n\nIt takes {takes} and {self.problem.describe()}."

    def _data(self, metrics: dict) -> str:
        rows = [f"task: `{self.config.task}`"]
        if self.homepage:
            rows.append(f"source: {self.homepage}")
        if self.citation:
            rows.append(f"citation: {self.citation}")
        rows.append(f"license: {self.data_license or 'not known'}")
        counts = metrics.get("data", {})
        rows += [f"{name.replace('_', ' ')}: {_counted(count)}" for name, count in counts.items()]
        return _list(rows)

    def _encoder(self) -> str:
        return _list(
            [
                f"`{self.config.encoder}`",
                f"{self.layers} layers, hidden size {self.hidden}, {self.heads} attention heads; "
                f"{self.parameters:,} parameters with the head",
                f"license: {known_license.describe(self.checkpoint)}",
            ]
        )

    def _metrics(self, metrics: dict) -> str:
        splits = [split for split in ("validation", "test") if split in metrics]
        return self.problem.card_metrics(metrics, splits)

    def _limits(self, metrics: dict) -> str:
        config, caveat = self.config, self.problem.caveat
        truncation = combinations.truncation(config)
        is_cut = combinations.cuts_windows(config)
        which = "cuts longer texts into windows" if is_cut else "decides which"
        rows = [
            f"The model reads {config.max_length} tokens of a text, including special tokens; "
            f"`--truncation={truncation}` {which}.",
            *_redacted(config.redact),
            "The metrics hold for texts like those in the data; the model was not tested on "
            "others.",
            f"{f'{caveat}, and it' if caveat else 'It'} was not tested separately on texts by or "
            "about different groups of people.",
        ]
        may_select = metrics.get("privacy", {}).get("public_validation", True)
        if "validation" in metrics and may_select:
            rows.append(
                "The epoch was selected on validation, so the metrics on validation are too good."
            )
        if "test" not in metrics:
            rows.append("It was not evaluated on test.")
        if shared := metrics.get("data", {}).get("in_train_and_test"):
            texts = plurals.counted(shared, "text of test is", "texts of test are")
            rows.append(f"{texts} also in train or validation.")
        return _list(rows)


def _privacy(report: dict) -> str:
    rows = [
        in_words(report),
        f"Mechanism: `{report['mechanism']}`, noise {report['noise']:.4g}, clip "
        f"{report['clip']:g}; {report['steps']:,} steps, each of which sampled each of "
        f"{report['examples']:,} examples with probability {report['sampling_rate']:.3g}.",
        f"Accountant: {report['accountant']}, {report['accounted_by']}; neighbouring data sets "
        f"{report['neighbours']}.",
        "The number of examples, the names of the labels, and the validation and test texts are "
        "not protected by it.",
    ]
    return _list(rows)


def _counted(count: int | Mapping[str, int]) -> str:
    """Return a number of examples in words, by label if it is recorded by label.

    >>> _counted({"negative": 1030, "positive": 97})
    '1,127 examples (1,030 negative, 97 positive)'
    """
    if not isinstance(count, Mapping):
        return f"{count:,} examples"
    each = ", ".join(f"{own:,} {label}" for label, own in count.items())
    return f"{sum(count.values()):,} examples ({each})"


def _redacted(spec: str | None) -> list[str]:
    if spec in (None, "none"):
        return []
    return [f"`--redact={spec}` replaces parts of texts before the model reads them."]


def _list(rows: Iterable[str]) -> str:
    return "\n".join(f"- {row}" for row in rows)
