"""CamemBERT."""

import dataclasses

import keras

from ftkeras.encoders._family import with_defaults
from ftkeras.encoders.roberta import Roberta


@keras.saving.register_keras_serializable(package="ftkeras")
class Camembert(Roberta):
    """CamemBERT: RoBERTa's network, pretrained on French text.

    The hidden states are those of PyTorch's CamembertModel. Arguments, the call and the results
    are those of `Roberta`. Its tokenizer is `ftkeras.text.unigram.Unigram`.
    Source: Martin et al., 2020, https://arxiv.org/abs/1911.03894.

    >>> import numpy as np
    >>> encoder = Camembert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> encoder(np.array([[5, 7, 8, 6]]))["sequence"].shape
    TensorShape([1, 4, 8])
    """

    family = dataclasses.replace(
        Roberta.family,
        model_type="camembert",
        classes={
            use: name.replace("Roberta", "Camembert")
            for use, name in Roberta.family.classes.items()
        },
        fields=with_defaults(Roberta.family.fields, vocab_size=30522),
    )
