"""An encoder's settings and weights in Hugging Face's files."""

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from ftkeras.encoders import _weights
from ftkeras.encoders._embeddings import Pooler
from ftkeras.encoders._family import Family, Rule
from ftkeras.encoders._transformer import ACTIVATIONS
from ftkeras.support import bounds
from ftkeras.support.layer_hooks import LayerHooks

_SIZES = ("vocabulary_size", "layers", "hidden", "heads", "positions")
# What most families call a size, and transformers reads in all.
_COMMON_NAMES = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "positions": "max_position_embeddings",
}
# Arguments of `TransformerEncoder` that only families with a field of that name take.
_OF_FAMILIES = (
    *("segments", "embedding", "first_position", "pooler_activation", "epsilon", "switches"),
)


class Checkpoint:
    """An encoder's methods that read and write checkpoints, with the names of its family."""

    family: ClassVar[Family]
    layers: int
    first_position: int
    pool: Pooler | None
    path: str
    weights: list[keras.Variable]
    hooks: LayerHooks

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return a new encoder.

        Raises:
            ValueError: an argument of `TransformerEncoder` is not one of this family.
        """
        known = {ours for _, ours, _ in cls.family.fields}
        known.update(inspect.signature(cls.__init__).parameters)  # a subclass may have its own
        for name in _OF_FAMILIES:
            if name in kwargs and name not in known:
                raise ValueError(
                    f"`{name}` can't be set for {cls.__name__}: its config.json has no such field."
                )
        return super().__new__(cls, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        if self.hooks.changes_weights:
            raise ValueError(
                "A policy or regularizer changes what the encoder computes, which a configuration "
                "can't hold: call `merge` of `LoRA` before the model is saved, or save its weights "
                "only."
            )
        ours = [argument for _, argument, _ in self.family.fields]
        return {
            **super().get_config(),  # pyright: ignore[reportAttributeAccessIssue]
            **{name: getattr(self, name) for name in (*ours, "pooler", "initial", "seed")},
        }

    @classmethod
    def settings(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return constructor arguments from the content of a Hugging Face config.json.

        Raises:
            ValueError: this class does not implement that model.
        """
        family, config = cls.family, cls._without_aliases(config)
        for field, wanted in {"model_type": family.model_type, **family.fixed}.items():
            value = config.get(field, wanted)
            if value != wanted:
                raise ValueError(f"`{field}` must be {wanted!r}. Received: {value!r}.")
        activation = next(field for field, ours, _ in family.fields if ours == "activation")
        bounds.choice(ACTIVATIONS, **{activation: config.get(activation, "gelu")})
        for theirs, ours, default in family.fields:
            if ours in _SIZES:
                bounds.integer(1, **{theirs: config.get(theirs, default)})
        return {ours: config.get(theirs, default) for theirs, ours, default in family.fields}

    @classmethod
    def _without_aliases(cls, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a config.json with the family's own names instead of those of most families.

        As in transformers, whose `attribute_map` reads `num_attention_heads` as DistilBERT's
        `n_heads`.
        """
        for theirs, ours, _ in cls.family.fields:
            alias = _COMMON_NAMES.get(ours, theirs)
            if alias == theirs or alias not in config:
                continue
            if config.get(theirs, config[alias]) != config[alias]:
                raise ValueError(
                    f"`{theirs}` and `{alias}` must be equal. Received: {config[theirs]} and "
                    f"{config[alias]}."
                )
            config = {**config, theirs: config[alias]}
        return config

    def huggingface_config(self) -> dict[str, Any]:
        """Return the content of config.json for transformers, without `architectures`."""
        fields = {theirs: getattr(self, ours) for theirs, ours, _ in self.family.fields}
        for theirs, ours, _ in self.family.fields:
            if ours == "positions":  # theirs counts all rows of the position embedding
                fields[theirs] += self.first_position
        return {
            **fields,
            "model_type": self.family.model_type,
            **self.family.written,
        }

    def load(
        self, tensors: Mapping[str, np.ndarray], *, source: str = "the checkpoint"
    ) -> list[str]:
        """Assign a Hugging Face checkpoint's weights.

        If the checkpoint has no pooler but this encoder has one, the pooler starts from a normal
        distribution.

        Args:
            tensors: arrays by their Hugging Face name.
            source: where the tensors come from, for messages.

        Returns:
            Names of the tensors that were newly initialized: the pooler's, or none.

        Raises:
            UserError: tensors are missing or unexpected, or a shape differs.
        """
        return _weights.load(
            self.family,
            self._variables(),
            self._rules(),
            tensors,
            source=source,
            initialize=self._initialize_pooler,
        )

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the weights with Hugging Face's plain names and shapes, without a prefix."""
        variables, tensors = self._variables(), {}
        for rule in self._rules():
            tensors.update(rule.split(ops.convert_to_numpy(variables[rule.variable])))
        return tensors

    def _rules(self) -> list[Rule]:
        known = self._variables()
        return [rule for rule in self.family.rules(self.layers) if rule.variable in known]

    def _variables(self) -> dict[str, keras.Variable]:
        return {weight.path.removeprefix(f"{self.path}/"): weight for weight in self.weights}

    def _initialize_pooler(self, path: str) -> None:
        variable = self._variables()[path]
        initializer: keras.Initializer = keras.initializers.Zeros()
        if self.pool is not None and path.endswith("kernel"):
            initializer = self.pool.normal()
        elif path.endswith("scale"):
            initializer = keras.initializers.Ones()
        variable.assign(initializer(variable.shape, dtype=variable.dtype))
