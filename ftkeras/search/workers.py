"""Who runs the trials: this process alone, or workers that ask a chief, over KerasTuner's gRPC.

KerasTuner's own environment variables say who is who, on as many machines as share the search's
folder: KERASTUNER_TUNER_ID is `chief` or a worker's name, KERASTUNER_ORACLE_IP and
KERASTUNER_ORACLE_PORT say where the chief is.
"""

import concurrent.futures
import os
import time
from collections.abc import Callable, Mapping

from keras_tuner.engine.trial import TrialStatus

from ftkeras.errors import UserError
from ftkeras.search.ledger import Ledger

ALONE, CHIEF = "alone", "chief"
# Between two questions of a worker for whom there is nothing to do just now.
IDLE_SECONDS = 1.0
# A chief that was started again answers after a few; one that is gone never.
PATIENCE_SECONDS = 300
NAMES = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")


def name() -> str:
    """This process's: `alone`, `chief`, or a worker's.

    Raises:
        UserError: some of the variables are set, and not all.
    """
    given = [variable for variable in NAMES if os.environ.get(variable)]
    if given and len(given) < len(NAMES):
        lacks = ", ".join(variable for variable in NAMES if variable not in given)
        raise UserError(f"{given[0]} is set, so {lacks} must be, too.")
    return os.environ[NAMES[0]] if given else ALONE


def work(oracle, run: Callable[[str, Mapping], object], worker: str) -> None:
    """Runs one trial after the other until there are no more.

    Args:
        oracle: a ledger, or a `Chief` to ask.
        run: trial id, values -> None; leaves what came of it in the trial's folder.
        worker: the name to ask by.
    """
    while (trial := oracle.create_trial(worker)).status != TrialStatus.STOPPED:
        if trial.status == TrialStatus.IDLE:
            time.sleep(IDLE_SECONDS)
            continue
        run(trial.trial_id, trial.hyperparameters.values)
        oracle.end_trial(trial)


def serve(ledger: Ledger) -> None:
    """Answers workers until every trial has ended and each of them was told."""
    import grpc
    from keras_tuner.src import protos
    from keras_tuner.src.distribute.oracle_chief import OracleServicer

    address = f"{os.environ[NAMES[1]]}:{os.environ[NAMES[2]]}"
    server = grpc.server(concurrent.futures.ThreadPoolExecutor())
    protos.get_service_grpc().add_OracleServicer_to_server(OracleServicer(ledger), server)
    try:
        server.add_insecure_port(address)
    except RuntimeError:
        raise UserError(f"{NAMES[1]} and {NAMES[2]}: nobody can listen on {address}.") from None
    server.start()
    try:
        while not ledger.is_over():
            time.sleep(0.1)
    finally:
        server.stop(grace=1).wait()


class Chief:
    """The chief as a worker asks it; one that is away for a moment is asked again."""

    def __init__(self):
        from keras_tuner.src.distribute import oracle_client

        oracle_client.TIMEOUT = PATIENCE_SECONDS  # in place of an hour
        self._client = oracle_client.OracleClient(None)

    def create_trial(self, worker: str):
        """The trial to run; asked twice, the chief gives the same one."""
        return self._asked(self._client.create_trial, worker)

    def end_trial(self, trial) -> None:
        """Tells that the trial's result lies in its folder."""
        self._asked(self._client.end_trial, trial)

    def _asked(self, question: Callable, *arguments):
        import grpc

        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return question(*arguments)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > until:
                    raise UserError(
                        f"the chief at {os.environ[NAMES[1]]}:{os.environ[NAMES[2]]} does not "
                        f"answer: {error.details()}."
                    ) from None
            time.sleep(IDLE_SECONDS)
