"""Run trials: in this process alone, or by workers that ask a chief over KerasTuner's gRPC service.

KerasTuner's environment variables assign the roles, on any number of machines that share the
search's folder: KERASTUNER_TUNER_ID is `chief` or the name of a worker; KERASTUNER_ORACLE_IP and
KERASTUNER_ORACLE_PORT are the chief's address.
"""

import concurrent.futures
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from keras_tuner.engine.trial import Trial, TrialStatus

from ftkeras.errors import UserError
from ftkeras.search.ledger import Ledger

ALONE, CHIEF = "alone", "chief"
# How long a worker waits before it asks again, if there is nothing to do at the moment.
IDLE_SECONDS = 1.0
# How long a worker waits for a chief that does not answer; a restarted chief needs a few seconds.
PATIENCE_SECONDS = 300
VARIABLES = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")


class TrialSource(Protocol):
    """Assigns trials to workers: the ledger itself, or a connection to the chief that has it."""

    def create_trial(self, worker: str, /) -> Trial:
        """Return the trial that the worker should run; its status may be IDLE or STOPPED."""
        ...

    def end_trial(self, trial: Trial) -> None:
        """Record that the trial's result is in its folder."""


def name() -> str:
    """Return the name of this process: `alone`, `chief`, or a worker's name.

    Raises:
        UserError: only some of the variables are set.
    """
    given = [variable for variable in VARIABLES if os.environ.get(variable)]
    if given and len(given) < len(VARIABLES):
        missing = ", ".join(variable for variable in VARIABLES if variable not in given)
        raise UserError(f"{given[0]} is set, so {missing} must be set as well.")
    return os.environ[VARIABLES[0]] if given else ALONE


def work(source: TrialSource, run: Callable[[str, Mapping], object], worker: str) -> None:
    """Run one trial after another until there are no more.

    Args:
        source: the ledger, or a `Chief`.
        run: runs a trial, given its id and values, and leaves the result in the trial's folder.
        worker: this worker's name.
    """
    while (trial := source.create_trial(worker)).status != TrialStatus.STOPPED:
        if trial.status == TrialStatus.IDLE:
            time.sleep(IDLE_SECONDS)
            continue
        run(trial.trial_id, trial.hyperparameters.values)
        source.end_trial(trial)


def serve(ledger: Ledger) -> None:
    """Answer workers until every trial has ended and every worker knows it.

    Raises:
        UserError: the address can't be listened on.
    """
    import grpc
    from keras_tuner.src import protos
    from keras_tuner.src.distribute.oracle_chief import OracleServicer

    address = _address()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor())
    protos.get_service_grpc().add_OracleServicer_to_server(OracleServicer(ledger), server)
    try:
        server.add_insecure_port(address)
    except RuntimeError:
        raise UserError(f"{VARIABLES[1]} and {VARIABLES[2]}: can't listen on {address}.") from None
    server.start()
    try:
        while not ledger.is_over():
            time.sleep(0.1)
    finally:
        server.stop(grace=1).wait()


class Chief:
    """A connection to the chief, which repeats a request while the chief is unavailable."""

    def __init__(self):
        from keras_tuner.src.distribute import oracle_client

        oracle_client.TIMEOUT = PATIENCE_SECONDS  # instead of an hour
        self._client = oracle_client.OracleClient(None)

    def create_trial(self, worker: str, /) -> Trial:
        """Return the trial to run; a repeated request returns the same one."""
        return self._request(self._client.create_trial, worker)

    def end_trial(self, trial: Trial) -> None:
        """Tell the chief that the trial's result is in its folder."""
        self._request(self._client.end_trial, trial)

    def _request(self, method: Callable[[Any], Any], argument: Any) -> Any:
        import grpc

        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return method(argument)
            except grpc.RpcError as error:
                unavailable = error.code() == grpc.StatusCode.UNAVAILABLE
                if not unavailable or time.monotonic() > deadline:
                    raise UserError(
                        f"the chief at {_address()} does not answer: {error.details()}."
                    ) from None
            time.sleep(IDLE_SECONDS)


def _address() -> str:
    return f"{os.environ[VARIABLES[1]]}:{os.environ[VARIABLES[2]]}"
