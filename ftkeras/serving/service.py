"""Answer the verbs of the API with the versions of one model, independently of HTTP."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ftkeras.serving import examples, request_json, responses, tensors
from ftkeras.serving.batcher import Batcher, Unbatched
from ftkeras.serving.errors import RequestError, invalid_argument
from ftkeras.serving.metrics import Metrics
from ftkeras.serving.model import Model, Signature
from ftkeras.serving.statistics import Statistics
from ftkeras.serving.target import Target
from ftkeras.serving.versions import Versions

# Larger bodies (bytes) and outputs (values) are decoded and encoded in a thread, so that other
# requests need not wait.
LARGE_BODY, LARGE_OUTPUTS = 65_536, 10_000
DEFAULT = "serving_default"  # the signature whose answers are counted


class Service:
    """Answer requests to one model.

    Args:
        versions: The model's versions.
        batcher: Runs the requests.
        metrics: Records every request and batch.
        timeout: Seconds that a request may take once it has been received.
        statistics: Counts the answers; None for nothing.
    """

    def __init__(
        self,
        versions: Versions,
        batcher: Batcher | Unbatched,
        metrics: Metrics,
        *,
        timeout: float = 30.0,
        statistics: Statistics | None = None,
    ):
        self.versions, self.metrics, self._statistics = versions, metrics, statistics
        self._batcher, self._timeout = batcher, timeout
        self._verbs = {
            "predict": self._predict,
            "classify": self._classify,
            "regress": self._regress,
            "status": self._status,
            "metadata": self._metadata,
        }

    async def answer(self, target: Target, body: bytes) -> bytes:
        """Return the JSON response to a request.

        Raises:
            RequestError: The response is an error.
        """
        try:
            return await asyncio.wait_for(self._verbs[target.verb](target, body), self._timeout)
        except TimeoutError:
            raise RequestError(
                "DEADLINE_EXCEEDED", f"No answer within {self._timeout:g} seconds"
            ) from None
        except RecursionError:
            raise invalid_argument("JSON Parse error: nested too deeply") from None

    def close(self) -> None:
        """Stop watching for versions, and return once all submitted requests have been run."""
        self.versions.close()
        self._batcher.close()
        if self._statistics is not None:
            self._statistics.close()

    async def _predict(self, target: Target, body: bytes) -> bytes:
        large = len(body) > LARGE_BODY
        document = await _call(large, request_json.parse, body)
        name = request_json.signature_name(document)
        with self._lease(target) as model:
            signature = model.signature(name)
            inputs, form = await _call(large, tensors.decode, document, signature.inputs)
            outputs = await self._run(model, name, inputs)
            if self._statistics is not None and name == DEFAULT:
                self._statistics.record(model, inputs, outputs)
            large = sum(array.size for array in outputs.values()) > LARGE_OUTPUTS
            return await _call(large, responses.encode_predictions, outputs, form)

    async def _classify(self, target: Target, body: bytes) -> bytes:
        outputs = await self._run_examples(target, body, ("classes", "scores"), "classification")
        return responses.encode_classifications(outputs)

    async def _regress(self, target: Target, body: bytes) -> bytes:
        outputs = await self._run_examples(target, body, ("outputs",), "regression")
        return responses.encode_regressions(outputs["outputs"])

    async def _run_examples(
        self, target: Target, body: bytes, wanted: Sequence[str], kind: str
    ) -> dict[str, np.ndarray]:
        """Run a signature that takes `tf.Example`s, and return the wanted outputs."""
        large = len(body) > LARGE_BODY
        document = await _call(large, request_json.parse, body)
        name = request_json.signature_name(document)
        given = await _call(large, examples.decode, document)
        with self._lease(target) as model:
            if name not in model.signatures:
                raise invalid_argument(f"No signature was found with the name: {name}")
            _require_examples(model.signatures[name], name, wanted, kind)
            outputs = await self._run(model, name, {"inputs": given})
            return {key: array for key, array in outputs.items() if key in wanted}

    async def _status(self, target: Target, body: bytes) -> bytes:
        if target.name != self.versions.name:
            raise RequestError("NOT_FOUND", f"Could not find any versions of model {target.name}")
        version = target.version
        if target.label is not None:
            version = self.versions.labelled(target.label)
        return _json({"model_version_status": self.versions.status(version)})

    async def _metadata(self, target: Target, body: bytes) -> bytes:
        with self._lease(target) as model:
            spec = {"name": target.name, "signature_name": "", "version": str(model.version)}
            metadata = {"signature_def": {"signature_def": model.metadata()}}
            return _json({"model_spec": spec, "metadata": metadata})

    def _lease(self, target: Target) -> contextlib.AbstractContextManager[Model]:
        if target.name != self.versions.name:
            wanted = f"Latest({target.name})"
            if target.version is not None:
                wanted = f"Specific({target.name}, {target.version})"
            raise RequestError("NOT_FOUND", f"Servable not found for request: {wanted}")
        return self.versions.lease(target.version, target.label)

    async def _run(
        self, model: Model, name: str, inputs: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        rows = model.signatures[name].count_rows(inputs)

        def run(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            start = time.perf_counter()
            outputs = model.run(name, batch)
            seconds = time.perf_counter() - start
            self.metrics.record_batch(len(next(iter(batch.values()))), seconds)
            return outputs

        future = self._batcher.submit((model.version, name), run, inputs, rows)
        return await asyncio.wrap_future(future)


def _require_examples(signature: Signature, name: str, wanted: Sequence[str], kind: str) -> None:
    """Raise RequestError unless a signature takes `tf.Example`s and has a wanted output."""
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if "inputs" not in signature.inputs:
        raise RequestError("FAILED_PRECONDITION", f"No {kind} inputs found in SignatureDef: {name}")
    if not set(wanted) & set(signature.outputs):
        listed = " or ".join(f'"{output}"' for output in wanted)
        raise RequestError(
            "FAILED_PRECONDITION",
            f"Expected {kind} signature outputs to contain at least one of {listed}. "
            f"Signature was: {name}",
        )


async def _call(in_thread: bool, function: Callable, *arguments: Any) -> Any:
    if in_thread:
        return await asyncio.to_thread(function, *arguments)
    return function(*arguments)


def _json(content: dict) -> bytes:
    return json.dumps(content, indent=1).encode()
