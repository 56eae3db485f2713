"""The bundled corpus as a task."""

from ftkeras.corpora.make_reviews import SIZES
from ftkeras.tasks.quickstart import Quickstart
from tests.data.sources.reading import elements


def test_splits_are_balanced_share_no_text_and_have_the_named_labels():
    splits = {name: elements(split) for name, split in Quickstart(data_dir=None).splits().items()}
    assert {name: len(rows) for name, rows in splits.items()} == SIZES
    for rows in splits.values():
        assert sum(label for _, label in rows) * 2 == len(rows)
    texts = [text for rows in splits.values() for text, _ in rows]
    assert len(set(texts)) == len(texts)
    found = dict(splits["train"])
    assert Quickstart.labels[found[b"Worth every minute."]] == "positive"
    assert Quickstart.labels[found[b"A waste of time."]] == "negative"
