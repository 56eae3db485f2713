"""Examples from TensorFlow Datasets."""

import contextlib
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from ftkeras.errors import UserError


class Tfds:
    """One split of a TensorFlow Datasets builder, in the order its files have.

    A prepared folder is read as it is; otherwise the builder downloads, with its progress bar.

    Source: https://www.tensorflow.org/datasets/api_docs/python/tfds/builder.

    Args:
        builder: "name" or "name/config".
        split: as the builder names it.
        data_dir: folder that holds (or shall hold) `name/config/version`; `name`, `config` or
            `version` itself will do where it is prepared. None for TensorFlow Datasets' default.
        host: URL that must answer before a download is begun, or None. Without the check a machine
            with no network waits minutes for ten retries.
        text, label, pair: the builder's features that become the example's.
        hint: what else a user can do, closing the message where the data cannot be had.
    """

    def __init__(
        self,
        *,
        builder: str = "imdb_reviews/plain_text",
        split: str = "train",
        data_dir: str | None = None,
        host: str | None = None,
        text: str = "text",
        label: str = "label",
        pair: str | None = None,
        hint: str = "",
    ):
        self._name, self._split, self._host, self._hint = builder, split, host, hint
        self._data_dir = None if data_dir is None else pathlib.Path(data_dir).expanduser()
        self._features = {"text": text, "label": label} | ({"pair": pair} if pair else {})

    @property
    def prepared(self) -> pathlib.Path | None:
        """The newest prepared version in `data_dir`, if there is one."""
        if self._data_dir is None:
            return None
        name, _, config = self._name.partition("/")
        config = config or "*"
        patterns = (".", "*", f"{config}/*", f"{name}/*", f"{name}/{config}/*")
        found = [
            info.parent
            for pattern in patterns
            for info in sorted(self._data_dir.glob(f"{pattern}/dataset_info.json"), key=_version)
        ]
        return found[-1] if found else None

    def read(self) -> tf.data.Dataset:
        """Downloads and prepares now what is not there; reads examples on each pass."""
        import tensorflow_datasets as tfds  # Half a second, and not every task needs it.

        examples = self._builder(tfds).as_dataset(
            split=self._split,
            shuffle_files=False,
            # No autocache: it would keep a small data set in memory. One file after the other:
            # the order is that of the files.
            read_config=tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1),
        )
        features = self._features
        return examples.map(lambda row: {name: row[of] for name, of in features.items()})

    def _builder(self, tfds: Any) -> Any:
        try:
            # A folder without the data is no news here: what follows fetches it or says so.
            with _quiet("absl"):
                folder = self.prepared
                builder = (
                    tfds.builder_from_directory(folder)
                    if folder
                    else tfds.builder(self._name, data_dir=self._data_dir)
                )
                prepared = builder.is_prepared()
            if not prepared:
                self._download(builder)
        except Exception as error:  # Whatever TFDS met, the way out is the same.
            tried = folder or self._data_dir or tfds.core.constants.DATA_DIR
            raise self._unusable(str(tried), error) from error
        self._require_files(builder)
        return builder

    def _download(self, builder: Any) -> None:
        import requests  # TFDS's own HTTP client: the same proxies, the same certificates.

        if self._host:
            try:
                requests.head(self._host, timeout=20).close()
            except requests.RequestException as error:
                raise ConnectionError(f"no answer from {self._host} for the download") from error
        # The progress bar is news enough: urllib3 would tell of each of ten retries.
        with _quiet("urllib3"):
            builder.download_and_prepare()

    def _require_files(self, builder: Any) -> None:
        name, folder = self._name.partition("/")[0], str(builder.data_dir)
        if builder.name != name:
            raise self._unusable(folder, f"it holds {builder.name!r}, not {name!r}")
        if self._split not in builder.info.splits:
            raise self._unusable(folder, f"it has no split {self._split!r}")
        for path in builder.info.splits[self._split].filepaths:
            if not pathlib.Path(path).is_file():
                raise self._unusable(folder, f"{path.name} is missing")

    def _unusable(self, folder: str, reason: Any) -> UserError:
        reason = " ".join(str(reason).split())[:200]
        return UserError(
            f"`data_dir`: cannot get {self._name!r} through TensorFlow Datasets, tried {folder!r}"
            f" ({reason}). Point `data_dir` at a folder that TensorFlow Datasets"
            f" prepared{self._hint}."
        )


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _version(info: pathlib.Path) -> tuple[int, ...]:
    """1.10.0 is newer than 1.9.0."""
    return tuple(int(part) for part in info.parent.name.split(".") if part.isdigit())
