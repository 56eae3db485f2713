"""Ask a served model for predictions, over REST or gRPC.

The server is `serve` or TensorFlow Serving.

```python
from ftkeras.serving.client import Client

with Client("http://127.0.0.1:8501", model="imdb") as client:      # or grpc://127.0.0.1:8500
    for answer in client.predict(["Worth every minute.", "A waste of time."]):
        print(answer["label"], answer["score"])
```

REST needs `pip install 'ftkeras[client]'` and no TensorFlow; gRPC needs
`pip install 'ftkeras[grpc]'`, and imports TensorFlow for its messages.
"""

import math
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from ftkeras.serving import _client_grpc, _client_rest
from ftkeras.serving._columns import stack, to_columns
from ftkeras.serving.errors import ServingError

__all__ = ["Client", "ServingError"]

# Seconds. Sockets and gRPC count nanoseconds in 63 bits, gRPC from 1970.
_LONGEST_TIMEOUT = 1e9


class Transport(Protocol):
    """A way to reach a server."""

    def send(
        self, signature: str, inputs: dict[str, np.ndarray], seconds: float
    ) -> dict[str, np.ndarray]:
        """Run a signature within so many seconds, and return its outputs by name.

        Raises:
            ServingError: The server refuses, or does not answer in time.
        """
        ...

    def close(self) -> None:
        """Close the connection."""


class Client:
    """A model on a server.

    Args:
        address: `http://host:8501` or `https://…` for REST, `grpc://host:8500` for gRPC.
        model: The model's name on the server.
        version: The version to ask; None for the newest.
        label: A version's label, such as `stable`, instead of `version`.
        deadline: Seconds that a call may take, retries included; positive and finite.
        retries: How often a request is sent again if the server can't be reached or is out of
            capacity; at least 0. The first wait is up to 0.1 s, each further one up to twice as
            long, and each is shortened at random by up to half.
        batch_size: Texts in a request; at least 1.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
        UserError: A package that the transport needs is not installed.
    """

    def __init__(
        self,
        address: str,
        *,
        model: str,
        version: int | None = None,
        label: str | None = None,
        deadline: float = 10.0,
        retries: int = 3,
        batch_size: int = 32,
    ):
        if version is not None and label is not None:
            raise ValueError(
                f"`label` and `version` can't be combined. Received: {label!r} and {version}."
            )
        if not 0 < deadline < math.inf:  # which NaN is not either
            raise ValueError(f"`deadline` must be positive and finite. Received: {deadline}.")
        for name, value, least in (("retries", retries, 0), ("batch_size", batch_size, 1)):
            if value < least:
                raise ValueError(f"`{name}` must be at least {least}. Received: {value}.")
        scheme, _, rest = address.partition("://")
        if scheme not in ("http", "https", "grpc") or not rest:
            raise ValueError(
                f"`address` must start with http://, https:// or grpc://. Received: {address!r}."
            )
        self._deadline, self._retries, self._batch_size = deadline, retries, batch_size
        self._transport: Transport
        if scheme == "grpc":
            self._transport = _client_grpc.Grpc(rest.rstrip("/"), model, version, label)
        else:
            self._transport = _client_rest.Rest(address.rstrip("/"), model, version, label)

    def predict(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> list[dict]:
        """Return the answer to each text, in order: the outputs of `serving_default` by name.

        Those of a classifier are `label`, `score` and `probabilities`; those of a regression are
        its `values`; those of a multi-label classifier are `labels`, filled up with empty strings,
        and the `probabilities` and `thresholds` of all `names`. Those of an entity
        recognizer are `types`, `texts`, `starts`, `ends` and `scores`, of which the first `count`
        are entities. They are strings, integers, floats, and lists of these.

        Args:
            texts: The texts to answer.
            pairs: The second text of each, if the model takes pairs.

        Raises:
            TypeError: An item is not a string; the message names its position.
            ValueError: `texts` and `pairs` differ in length.
            ServingError: The server refuses, or the deadline passes.
        """
        columns = {"texts": texts} if pairs is None else {"texts": texts, "pairs": pairs}
        for name, column in columns.items():
            _check_strings(name, column)
        if pairs is not None and len(pairs) != len(texts):
            raise ValueError(
                f"`pairs` must be as long as `texts`, {len(texts)}. Received: {len(pairs)}."
            )
        if not len(texts):
            return []
        named = {"text": texts} if pairs is None else {"text": texts, "pair": pairs}
        outputs = self.call("serving_default", **named)
        rows = zip(*(column.tolist() for column in outputs.values()), strict=True)
        return [dict(zip(outputs, row, strict=True)) for row in rows]

    def call(self, signature: str, **inputs: Any) -> dict[str, np.ndarray]:
        """Run a signature and return its outputs by name; string outputs hold `str`.

        Args:
            signature: Its name, such as `token_ids`.
            inputs: Arrays or nested lists by name, all [batch, …] with the same batch. A list of
                strings holds nothing but strings; integers in a list are sent as int32 over gRPC.

        Raises:
            TypeError: A list mixes strings with other values; the message names a position.
            ValueError: There are no inputs, or they differ in length.
            ServingError: The server refuses, or the deadline passes.
        """
        end = time.monotonic() + self._deadline
        columns = to_columns(inputs)
        parts = [self._send(signature, part, end) for part in self._split(columns)]
        return {name: stack([part[name] for part in parts]) for name in parts[0]}

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _split(self, columns: dict[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
        count = len(next(iter(columns.values())))
        for start in range(0, max(count, 1), self._batch_size):
            end = start + self._batch_size
            yield {name: column[start:end] for name, column in columns.items()}

    def _send(
        self, signature: str, inputs: dict[str, np.ndarray], end: float
    ) -> dict[str, np.ndarray]:
        """Send a request, and again while the error may pass and time is left."""
        for attempt in range(self._retries + 1):
            left = end - time.monotonic()
            if left <= 0:
                raise ServingError("DEADLINE_EXCEEDED", f"no answer in {self._deadline:g} s")
            try:
                return self._transport.send(signature, inputs, min(left, _LONGEST_TIMEOUT))
            except ServingError as error:
                wait = 0.1 * 2**attempt * random.uniform(0.5, 1)
                is_last = attempt == self._retries or end - time.monotonic() <= wait
                if not error.may_pass or is_last:
                    raise
                time.sleep(wait)
        raise AssertionError  # the last attempt returns or raises


def _check_strings(name: str, column: Sequence[str]) -> None:
    """Raise TypeError unless a column is a sequence of strings, and not a string itself."""
    if isinstance(column, (str, bytes)):
        raise TypeError(f"`{name}` must be a list of strings. Received: {column[:50]!r}.")
    for index, value in enumerate(column):
        if not isinstance(value, str):
            raise TypeError(f"{name}[{index}] must be a string. Received: {value!r}.")
