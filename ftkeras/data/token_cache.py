"""Token ids that are kept on disk from run to run, in `<folder>/<settings>/<content>/`.

`settings` is a hash of all that token ids depend on, except the texts. `content` is a hash of all
texts and labels in their order. The texts are read and hashed in every run, because nothing else
tells for certain that they are the same; the cache saves their tokenization.
"""

import hashlib
import json
import logging
import os
import pathlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ftkeras.config.run import Config
from ftkeras.data import cache_entries, token_store
from ftkeras.data.examples import Examples
from ftkeras.errors import UserError
from ftkeras.support import files
from ftkeras.text.layer import TextLayer

log = logging.getLogger(__name__)


def open_cache(config: Config, text_layer: TextLayer) -> "Cache | None":
    """Return the cache for a text layer's token ids, or None if there is none.

    Raises:
        UserError: if `cache_dir` is set to a folder that can't be written.
    """
    folder = cache_folder(config)
    return folder and Cache(folder / "token_ids", settings=text_layer.identity())


def cache_folder(config: Config) -> pathlib.Path | None:
    """Return the folder of the cache, or None if nothing is to be cached.

    Raises:
        UserError: if `cache_dir` is set to a folder that can't be written.
    """
    if config.cache_dir == "none":
        return None
    if config.cache_dir is not None:
        return files.require_writable(config.cache_dir, "cache_dir")
    # The XDG Base Directory Specification says that a relative path is to be ignored.
    given = pathlib.Path(os.environ.get("XDG_CACHE_HOME", ""))
    base = given if given.is_absolute() else pathlib.Path("~/.cache").expanduser()
    try:
        return files.require_writable(base / "ftkeras", "cache_dir")
    except UserError as error:
        log.info(f"note: token ids are not cached for the next run: {error}")
        return None


class Cache:
    """The cached token ids of one text layer.

    Args:
        folder: the folder of all entries; created when the first is written.
        settings: what token ids depend on, except the texts; JSON-serializable.
    """

    def __init__(self, folder: pathlib.Path, *, settings: dict):
        written = json.dumps({**settings, "columns": list(token_store.COLUMNS)}, sort_keys=True)
        self.home = folder / hashlib.sha256(written.encode()).hexdigest()[:32]

    def examples(
        self,
        dataset: tf.data.Dataset,
        text_layer: Callable,
        *,
        name: str,
        pairs: bool,
        **returned: Any,
    ) -> tuple[Examples, bool]:
        """Return the examples of a dataset, tokenized now or read from the cache.

        Args:
            dataset: elements {"text", "label"} and, if `pairs`, "pair".
            text_layer: texts, pairs -> ragged token ids (and segment ids).
            name: the name of the split.
            pairs: whether the elements contain a second text.
            returned: `reads` and `windows`, what the text layer returns; see `token_store.write`.

        Returns:
            The examples, and whether they were in the cache.

        Raises:
            OSError: if the folder can't be written.
        """
        about = {"name": name, "pairs": pairs, **returned}
        # Without any entry a single pass over the texts is enough: it gives the ids and the key.
        if self.home.is_dir():
            entry = self.home / token_store.content_key(dataset, pairs=pairs)
            if cache_entries.is_intact(entry):
                return token_store.read_arrays(dataset, entry, **about), True
        entry = self._write(dataset, text_layer, pairs=pairs, **returned)
        return token_store.read_arrays(dataset, entry, **about), False

    def _write(
        self, dataset: tf.data.Dataset, text_layer: Callable, *, pairs: bool, **returned: Any
    ) -> pathlib.Path:
        def write(draft: pathlib.Path) -> str:
            return token_store.write_arrays(dataset, text_layer, draft, pairs=pairs, **returned)

        return cache_entries.store(self.home, write)
