import pathlib

import numpy as np

from ftkeras.checkpoints import huggingface


class Huggingface:
    """A Hugging Face folder, `<run_dir>/huggingface/`, that transformers loads in PyTorch.

    With the head it is a `BertForSequenceClassification` with its labels. That class pools as
    `pooling='pooled'` does; a head that pools otherwise stays behind with `head=False`, which gives
    the encoder alone, a `BertModel`.

    Args:
        model: its encoder and head are written.
        text_layer: its vocabulary is written.
        labels: a class's name by its index.
        plain: whether the model is an encoder and a head, and nothing that a policy added.
        run_dir: the run's folder.
        head: whether the classifier goes along.

    Raises:
        ValueError: the model is one that transformers has no class for.
    """

    message: str | None = None

    def __init__(
        self, *, model, text_layer, labels, plain: bool, run_dir: pathlib.Path, head: bool = True
    ):
        if not plain:
            raise ValueError("transformers has no class for an encoder with adapters.")
        if head and not model.head.needs_pooler:
            raise ValueError(
                f"transformers has no class for pooling={model.head.pooling!r}; "
                "huggingface(head=False) exports the encoder alone."
            )
        self.model, self.text_layer, self.labels = model, text_layer, labels
        self.folder, self.head = run_dir / "huggingface", head

    def write(self) -> pathlib.Path:
        """Writes the folder and returns it."""
        encoder = self.model.encoder
        config, tensors = encoder.huggingface_config(), encoder.tensors()
        family = config["model_type"]
        if self.head:
            config |= self._labels_config(f"{family.capitalize()}ForSequenceClassification")
            tensors = {f"{family}.{name}": tensor for name, tensor in tensors.items()}
            tensors |= self._classifier()
        else:
            config["architectures"] = [f"{family.capitalize()}Model"]
        self.text_layer.tokenizer.save(self.folder)
        huggingface.write(self.folder, config=config, tensors=tensors)
        return self.folder

    def _labels_config(self, architecture: str) -> dict:
        return {
            "architectures": [architecture],
            "id2label": {str(index): label for index, label in enumerate(self.labels)},
            "label2id": {label: index for index, label in enumerate(self.labels)},
        }

    def _classifier(self) -> dict[str, np.ndarray]:
        head = self.model.head
        kernel = np.ascontiguousarray(head.kernel.numpy().T)
        return {"classifier.weight": kernel, "classifier.bias": head.bias.numpy()}
