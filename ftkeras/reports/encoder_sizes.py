"""Tables of encoders: their families, and what sizes of them cost on this machine."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ftkeras.experiment.encoder_sizes import Size, Speed
from ftkeras.experiment.published_encoders import Published

Row = tuple[Size, Speed | None]


def families(summaries: Mapping[str, str]) -> str:
    """Return a line for each family of encoders.

    >>> print(families({"bert": "BERT: the network of PyTorch's BertModel."}))
    family  network
    bert    BERT: the network of PyTorch's BertModel.
    """
    width = max(len("family"), *map(len, summaries))
    lines = {"family": "network", **summaries}
    return "\n".join(f"{name:{width}}  {summary}" for name, summary in lines.items())


def lengths(tokens: np.ndarray, limit: int) -> str:
    """Return a sentence on the lengths of the texts.

    >>> lengths(np.array([10, 20, 90]), 256)
    'lengths  about 20 tokens in the median of 3 texts, 40 in the mean, cut at max_length=256'
    """
    return (
        f"lengths  about {np.median(tokens):.0f} tokens in the median of {len(tokens):,} texts, "
        f"{tokens.mean():.0f} in the mean, cut at max_length={limit}"
    )


def sizes(rows: Sequence[Row], fitting: Sequence[Size]) -> str:
    """Return a table of the sizes and their speeds; those that fit have a mark.

    Args:
        rows: sizes, and their speeds if they were measured.
        fitting: the sizes within the budget.
    """
    return "\n".join(_size_lines(rows, fitting))


def _size_lines(rows: Sequence[Row], fitting: Sequence[Size]) -> Iterator[str]:
    yield "fits  layers  width  parameters   weights  training   one text  in batches  such as"
    for size, speed in rows:
        mark = "*" if size in fitting else ""
        cost = f"{size.megabytes:7,.0f} MB{4 * size.megabytes:7,.0f} MB"
        fast = f"{'-':>11}{'-':>12}"
        if speed is not None:
            fast = f"{speed.milliseconds:8,.1f} ms{speed.texts_per_second:10,.1f}/s"
        shape = f"{size.layers:8}{size.hidden:7}{size.parameters / 1e6:10.1f} M"
        yield f"{mark:4}{shape}{cost}{fast}  {size.published}"
    if not fitting:
        yield "none of these sizes is within max_ms and max_mb (weights)"


def published(encoders: Sequence[Published], times: Mapping[tuple[int, int], float]) -> str:
    """Return a table of published encoders with figures, and the sources of these.

    Args:
        encoders: those to show.
        times: the milliseconds to answer one text, by the number of layers and their width.
    """
    if not encoders:
        return "none of the published encoders that are known here fits"
    return "\n".join(_published_lines(encoders, times))


def _published_lines(
    encoders: Sequence[Published], times: Mapping[tuple[int, int], float]
) -> Iterator[str]:
    sources: dict[str, int] = {}
    width = max(len(encoder.checkpoint) for encoder in encoders)
    yield f"{'published':{width}}  parameters   weights    one text  languages  figures in per cent"
    for encoder in encoders:
        time = times.get((encoder.layers, encoder.hidden))
        fast = f"{'-':>12}" if time is None else f"{time:9,.1f} ms"
        figures = "; ".join(
            f"{text} [{sources.setdefault(source, len(sources) + 1)}]"
            for text, source in encoder.figures
        )
        line = f"{encoder.checkpoint:{width}}{encoder.millions:10.1f} M{encoder.megabytes:7,.0f} MB"
        yield f"{line}{fast}  {', '.join(encoder.languages):9}  {figures}".rstrip()
    for source, number in sources.items():
        yield f"[{number}] {source}"
