"""Export to a folder for Hugging Face transformers and the Hub."""

import pathlib

import numpy as np

from ftkeras.checkpoints import huggingface
from ftkeras.exporters import Card
from ftkeras.problems import Problem
from ftkeras.support import files
from ftkeras.text.layer import TextLayer
from ftkeras.training.finetuner import FineTuner

NO_LICENSE = "README.md names no license, as none is known; add one before you publish the folder"


class Huggingface:
    """Write a folder that transformers loads in PyTorch: `<run_dir>/huggingface/`.

    With the head, it is the encoder family's sequence classifier, such as
    `BertForSequenceClassification`, or token classifier, and its README.md has the metadata of a
    model card, so that the folder can be pushed to the Hub. A sequence classifier pools as
    `pooling='pooled'` does. With any other pooling, export the encoder alone with `head=False`,
    which gives `BertModel` and the like.

    Args:
        model: Its encoder and head are written.
        text_layer: Its vocabulary and maximum length are written.
        problem: What is asked about a text.
        plain: Whether the model is an encoder and a head, without layers that a policy added.
        run_dir: The run's folder.
        card: The model card.
        head: Whether to write the classifier.

    Raises:
        ValueError: transformers has no class for the model.
    """

    def __init__(
        self,
        *,
        model: FineTuner,
        text_layer: TextLayer,
        problem: Problem,
        plain: bool,
        run_dir: pathlib.Path,
        card: Card,
        head: bool = True,
    ):
        if not plain:
            raise ValueError("transformers has no class for an encoder with adapters.")
        if head and not (model.head.per_token or model.head.needs_pooler):
            raise ValueError(
                f"transformers has no class for pooling={model.head.pooling!r}; "
                "huggingface(head=False) exports the encoder alone."
            )
        family, wanted = model.encoder.family, problem.huggingface_class
        other = "layers that the head lacks" if family.layers_of_tokens else None
        if not model.head.per_token:
            other = None if family.pools_for(wanted) else "another pooler"
        if head and other:
            raise ValueError(
                f"transformers' {family.class_name(wanted)} has {other}; huggingface(head=False) "
                "exports the encoder alone."
            )
        self.model, self.text_layer, self.problem = model, text_layer, problem
        self.folder, self.head, self.card = run_dir / "huggingface", head, card
        self.message: str | None = None

    def write(self) -> pathlib.Path:
        """Write the folder and return it."""
        encoder, family = self.model.encoder, self.model.encoder.family
        config, tensors = encoder.huggingface_config(), encoder.tensors()
        if self.head:
            config |= self._classifier_config()
            tensors = {family.name_below_head(name): value for name, value in tensors.items()}
            tensors |= self._classifier_tensors()
            # The card describes the classifier, so an encoder alone has none.
            files.write_text(self.folder / "README.md", self.card.hub_header() + self.card.text())
            self.message = None if self.card.license() else NO_LICENSE
        else:
            config["architectures"] = [family.classes["encoder"]]
            tensors = {n: value for n, value in tensors.items() if not family.belongs_to_head(n)}
            files.remove(self.folder / "README.md")
        self.text_layer.tokenizer.save(
            self.folder, max_length=self.text_layer.max_length, segments=encoder.segments > 0
        )
        huggingface.write(self.folder, config=config, tensors=tensors)
        return self.folder

    def _classifier_config(self) -> dict:
        name = self.model.encoder.family.class_name(self.problem.huggingface_class)
        return {"architectures": [name], **self.problem.huggingface_config()}

    def _classifier_tensors(self) -> dict[str, np.ndarray]:
        head = self.model.head
        name = self.model.encoder.family.classifier_name(self.problem.huggingface_class)
        kernel, bias = self.problem.huggingface_classifier(head.kernel.numpy(), head.bias.numpy())
        return {f"{name}.weight": np.ascontiguousarray(kernel.T), f"{name}.bias": bias}
