"""The texts that a run has kept, as token ids, to check a model by that takes no strings."""

import numpy as np


def padded_ids(samples: list[dict], text_layer) -> dict[str, np.ndarray]:
    """int32 [samples, length], by name: "token_ids", of pairs "segment_ids" too."""
    columns = [
        [sample[name].encode("utf-8", "surrogateescape") for sample in samples]
        for name in ("text", "pair")
        if name in samples[0]
    ]
    fill = {"token_ids": text_layer.tokenizer.pad_id, "segment_ids": 0}
    ids = text_layer(*columns)
    return {name: ids[name].to_tensor(fill[name]).numpy() for name in ids}


def largest_difference(samples: list[dict], text_layer, probabilities_of) -> float:
    """How far a model is from what the run has measured, at most, over all samples and classes.

    Args:
        probabilities_of: ids by name -> probabilities [texts, classes].
    """
    worst = 0.0
    for start in range(0, len(samples), 16):
        few = samples[start : start + 16]
        said = np.asarray(probabilities_of(padded_ids(few, text_layer)))
        measured = np.array([sample["probabilities"] for sample in few])
        worst = max(worst, float(np.abs(said - measured).max()))
    return worst
