"""The API's verbs over the versions of one model, apart from HTTP."""

import asyncio
import json
import time
from collections.abc import Callable

import numpy as np
from anyio import to_thread

from ftkeras.serving import answers, documents, examples, tensors
from ftkeras.serving.batcher import Batcher, Unbatched
from ftkeras.serving.metrics import Metrics
from ftkeras.serving.refused import Refused, invalid
from ftkeras.serving.target import Target
from ftkeras.serving.versions import Versions

# What is larger is read and written in a thread, so that others need not wait for it.
LARGE_BODY, LARGE_ANSWER = 65_536, 10_000


class Service:
    """Answers what is asked of one model.

    Args:
        versions: what there is of it.
        batcher: how requests are run.
        metrics: what is counted.
        timeout: seconds that a request may take, from its last byte on.
    """

    def __init__(
        self,
        versions: Versions,
        batcher: Batcher | Unbatched,
        metrics: Metrics,
        *,
        timeout: float = 30.0,
    ):
        self.versions, self.metrics = versions, metrics
        self._batcher, self._timeout = batcher, timeout
        self._verbs = {
            "predict": self._predict,
            "classify": self._classify,
            "regress": self._regress,
            "status": self._status,
            "metadata": self._metadata,
        }

    async def answer(self, target: Target, body: bytes) -> bytes:
        """The JSON that answers a request.

        Raises:
            Refused: where it is answered by an error.
        """
        try:
            return await asyncio.wait_for(self._verbs[target.verb](target, body), self._timeout)
        except TimeoutError:
            raise Refused(
                "DEADLINE_EXCEEDED", f"No answer within {self._timeout:g} seconds"
            ) from None
        except RecursionError:
            raise invalid("JSON Parse error: nested too deeply") from None

    def close(self) -> None:
        """Ends when all that was asked has been run."""
        self.versions.close()
        self._batcher.close()

    async def _predict(self, target: Target, body: bytes) -> bytes:
        document = await _aside(len(body) > LARGE_BODY, documents.parse, body)
        name = documents.signature_name(document)
        with self._lease(target) as model:
            signature = model.signature(name)
            inputs, form = await _aside(
                len(body) > LARGE_BODY, tensors.decode, document, signature.inputs
            )
            outputs = await self._run(model, name, inputs)
            large = sum(array.size for array in outputs.values()) > LARGE_ANSWER
            return await _aside(large, answers.encode, outputs, form)

    async def _classify(self, target: Target, body: bytes) -> bytes:
        outputs = await self._of_examples(target, body, ("classes", "scores"), "classification")
        return answers.classifications(outputs)

    async def _regress(self, target: Target, body: bytes) -> bytes:
        outputs = await self._of_examples(target, body, ("outputs",), "regression")
        return answers.regressions(outputs["outputs"])

    async def _of_examples(
        self, target: Target, body: bytes, wanted: tuple[str, ...], kind: str
    ) -> dict[str, np.ndarray]:
        """The outputs wanted, of a signature that takes `tf.Example`s as `inputs`."""
        large = len(body) > LARGE_BODY
        document = await _aside(large, documents.parse, body)
        name = documents.signature_name(document)
        given = await _aside(large, examples.decode, document)
        with self._lease(target) as model:
            if name not in model.signatures:
                raise invalid(f"No signature was found with the name: {name}")
            signature = model.signatures[name]
            if len(signature.inputs) != 1:
                raise invalid("Expected one input Tensor.")
            if "inputs" not in signature.inputs:
                raise Refused(
                    "FAILED_PRECONDITION", f"No {kind} inputs found in SignatureDef: {name}"
                )
            if not set(wanted) & set(signature.outputs):
                listed = " or ".join(f'"{output}"' for output in wanted)
                raise Refused(
                    "FAILED_PRECONDITION",
                    f"Expected {kind} signature outputs to contain at least one of {listed}. "
                    f"Signature was: {name}",
                )
            outputs = await self._run(model, name, {"inputs": given})
            return {key: array for key, array in outputs.items() if key in wanted}

    async def _status(self, target: Target, body: bytes) -> bytes:
        if target.name != self.versions.name:
            raise Refused("NOT_FOUND", f"Could not find any versions of model {target.name}")
        labelled = target.label is not None
        version = self.versions.number(target.label) if labelled else target.version
        return _json({"model_version_status": self.versions.status(version)})

    async def _metadata(self, target: Target, body: bytes) -> bytes:
        with self._lease(target) as model:
            spec = {"name": target.name, "signature_name": "", "version": str(model.version)}
            found = {"signature_def": {"signature_def": model.metadata()}}
            return _json({"model_spec": spec, "metadata": found})

    def _lease(self, target: Target):
        if target.name != self.versions.name:
            asked = f"Latest({target.name})"
            if target.version is not None:
                asked = f"Specific({target.name}, {target.version})"
            raise Refused("NOT_FOUND", f"Servable not found for request: {asked}")
        return self.versions.lease(target.version, target.label)

    async def _run(self, model, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        rows = model.signatures[name].rows(inputs)

        def run(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            began = time.perf_counter()
            outputs = model.run(name, batch)
            self.metrics.run(len(next(iter(batch.values()))), time.perf_counter() - began)
            return outputs

        future = self._batcher.submit((model.version, name), run, inputs, rows)
        return await asyncio.wrap_future(future)


async def _aside(large: bool, function: Callable, *arguments):
    if large:
        return await to_thread.run_sync(function, *arguments)
    return function(*arguments)


def _json(content: dict) -> bytes:
    return json.dumps(content, indent=1).encode()
