"""XLM-RoBERTa."""

import dataclasses

import keras

from ftkeras.encoders._family import with_defaults
from ftkeras.encoders.roberta import Roberta


@keras.saving.register_keras_serializable(package="ftkeras")
class XlmRoberta(Roberta):
    """XLM-RoBERTa: RoBERTa's network, pretrained on text in 100 languages.

    The hidden states are those of PyTorch's XLMRobertaModel. Arguments, the call and the results
    are those of `Roberta`. Its tokenizer is `ftkeras.text.unigram.Unigram`.
    Source: Conneau et al., 2020, https://arxiv.org/abs/1911.02116.

    >>> import numpy as np
    >>> encoder = XlmRoberta(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> encoder(np.array([[0, 5, 7, 2]]))["sequence"].shape
    TensorShape([1, 4, 8])
    """

    family = dataclasses.replace(
        Roberta.family,
        model_type="xlm-roberta",
        classes={use: f"XLM{name}" for use, name in Roberta.family.classes.items()},
        fields=with_defaults(Roberta.family.fields, vocab_size=30522),
    )
