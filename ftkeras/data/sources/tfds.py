"""Examples from TensorFlow Datasets."""

import pathlib
from typing import Any

import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.support import standard_error

# Files that TensorFlow Datasets writes about prepared data.
ABOUT = ("dataset_info.json", "features.json")


class Tfds:
    """One split of a TensorFlow Datasets builder, in the order of its files.

    A prepared folder is read as it is. Otherwise the builder downloads the data and shows its
    progress bar.

    Source: https://www.tensorflow.org/datasets/api_docs/python/tfds/builder.

    Args:
        builder: "name" or "name/config".
        split: the builder's name of the split.
        data_dir: the folder of `name/config/version`, to read or to download to. A prepared folder
            may also be given as `name`, `config` or `version` itself. None for TensorFlow Datasets'
            default.
        host: a URL that must answer before a download starts, or None. Without this check a machine
            without network waits minutes for ten retries.
        text, label, pair: the builder's features to use as the example's.
        hint: what else a user can do, added to the message if the data is not available.
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
        """The folder of the newest prepared version in `data_dir`, if there is one."""
        if self._data_dir is None:
            return None
        name, _, config = self._name.partition("/")
        config = config or "*"
        patterns = (".", "*", f"{config}/*", f"{name}/*", f"{name}/{config}/*")
        prepared = [
            info.parent
            for pattern in patterns
            for info in sorted(self._data_dir.glob(f"{pattern}/dataset_info.json"), key=_version)
        ]
        return prepared[-1] if prepared else None

    def read(self) -> tf.data.Dataset:
        """Download and prepare the data if it is missing; return a dataset that reads its files.

        Raises:
            UserError: if the data is not available.
        """
        import tensorflow_datasets as tfds  # takes half a second, and few tasks need it

        examples = self._builder(tfds).as_dataset(
            split=self._split,
            shuffle_files=False,
            # No autocache, which would keep a small data set in memory. A cycle length of 1 reads
            # one file after the other, so the order is that of the files.
            read_config=tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1),
        )
        features = self._features
        return examples.map(lambda row: {name: row[feature] for name, feature in features.items()})

    def files(self) -> list[pathlib.Path]:
        """Return the files of the split, and the description of the data.

        Raises:
            UserError: if the data is not available.
        """
        import tensorflow_datasets as tfds

        builder = self._builder(tfds)
        about = [pathlib.Path(builder.data_dir) / name for name in ABOUT]
        paths = [pathlib.Path(path) for path in builder.info.splits[self._split].filepaths]
        return [*(path for path in about if path.is_file()), *paths]

    def _builder(self, tfds: Any) -> Any:
        try:
            # A missing folder is no reason for a warning: it is downloaded next, or reported.
            with standard_error.only_errors("absl"):
                folder = self.prepared
                builder = (
                    tfds.builder_from_directory(folder)
                    if folder
                    else tfds.builder(self._name, data_dir=self._data_dir)
                )
                prepared = builder.is_prepared()
            if not prepared:
                self._download(builder)
        except Exception as error:  # whatever went wrong in TFDS, the user's remedy is the same
            tried = folder or self._data_dir or tfds.core.constants.DATA_DIR
            raise self._error(str(tried), error) from error
        self._require_files(builder)
        return builder

    def _download(self, builder: Any) -> None:
        import requests  # the HTTP client of TFDS: the same proxies and certificates

        if self._host:
            try:
                requests.head(self._host, timeout=20).close()
            except requests.RequestException as error:
                raise ConnectionError(f"no answer from {self._host} for the download") from error
        # urllib3 would log each of ten retries; the progress bar is enough.
        with standard_error.only_errors("urllib3"):
            builder.download_and_prepare()

    def _require_files(self, builder: Any) -> None:
        name, folder = self._name.partition("/")[0], str(builder.data_dir)
        if builder.name != name:
            raise self._error(folder, f"it holds {builder.name!r}, not {name!r}")
        if self._split not in builder.info.splits:
            raise self._error(folder, f"it has no split {self._split!r}")
        for path in builder.info.splits[self._split].filepaths:
            if not pathlib.Path(path).is_file():
                raise self._error(folder, f"{path.name} is missing")

    def _error(self, folder: str, reason: str | Exception) -> UserError:
        reason = " ".join(str(reason).split())[:200]
        return UserError(
            f"`data_dir`: cannot get {self._name!r} through TensorFlow Datasets, tried {folder!r}"
            f" ({reason}). Point `data_dir` at a folder that TensorFlow Datasets"
            f" prepared{self._hint}."
        )


def _version(info: pathlib.Path) -> tuple[int, ...]:
    """Return a sort key for version folders, by which 1.10.0 is newer than 1.9.0."""
    return tuple(int(part) for part in info.parent.name.split(".") if part.isdigit())
