"""The workers of a run, from what a launcher left in the environment."""

import json
import os
import re
from dataclasses import dataclass
from typing import Any

from ftkeras.errors import UserError


@dataclass(frozen=True)
class Cluster:
    """The workers of a run.

    Attributes:
        addresses: host:port of each worker, the chief's first.
        worker: number of this process, from 0.
    """

    addresses: tuple[str, ...]
    worker: int

    @classmethod
    def from_tf_config(cls, text: str) -> "Cluster":
        """Read TF_CONFIG.

        It is {"cluster": {"worker": [address, …]}, "task": {"type": …, "index": …}}. There may be
        a "chief" beside the workers, which then is the first of them.

        Raises:
            UserError: the text is not of this form.
        """
        try:
            content = json.loads(text)
            jobs, task = content["cluster"], content["task"]
            kind, index = task["type"], _index(task["index"])
            others = set(jobs) - {"chief", "worker"}
            chiefs, workers = (_addresses(jobs, name) for name in ("chief", "worker"))
            addresses = (*chiefs, *workers)
            if len(set(addresses)) < len(addresses):
                raise ValueError("an address is there twice")
            if others or kind not in jobs or not 0 <= index < len(jobs[kind]):
                raise ValueError(f"task {kind} {index} of {', '.join(jobs)}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                'TF_CONFIG must read {"cluster": {"worker": ["host:port", …]}, "task": {"type": '
                f'"worker", "index": 0}}}}; the problem is {error!r}. Received: {text[:200]!r}.'
            ) from None
        return cls(addresses, index + len(chiefs) * (kind == "worker"))

    @classmethod
    def from_slurm(cls, port: int | None) -> "Cluster":
        """Read the tasks of this job step with TensorFlow's own resolver.

        Args:
            port: the first port on each node; chosen by the job's number if None.

        Raises:
            UserError: this is not a step that `srun` started.
        """
        import tensorflow as tf  # only here: `launch` needs no more than the addresses

        try:
            # Ports that jobs on the same node are unlikely to share.
            base = port or 20000 + int(os.environ["SLURM_JOB_ID"]) % 1000 * 20
            tasks = int(os.environ["SLURM_STEP_NUM_TASKS"])
            # The resolver divides by the GPUs of a task, so it gets one for each task. Which GPUs
            # this process sees is up to Slurm.
            resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
                port_base=base, gpus_per_node=tasks, gpus_per_task=1, auto_set_gpu=False
            )
            addresses = tuple(resolver.cluster_spec().as_dict()["worker"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise UserError(
                "strategy=multi_worker(resolver='slurm') must be started by srun, in an "
                f"allocation; the problem is {error!r}."
            ) from None
        return cls(addresses, resolver.task_id)

    @classmethod
    def from_kubernetes(cls, workers: int, service: str, port: int | None) -> "Cluster":
        """Return the pods of an indexed Job, by their names under a headless Service.

        TensorFlow's KubernetesClusterResolver is not used: it asks the API server, which needs
        permissions, takes the nodes' addresses for the pods', and fails while a pod has yet to
        start. Source:
        https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode.

        Args:
            workers: completions of the Job.
            service: name of the headless Service.
            port: of each worker; 2222 if None.

        Raises:
            UserError: this is not a pod of such a Job.
        """
        index, host = os.environ.get("JOB_COMPLETION_INDEX", ""), os.environ.get("HOSTNAME", "")
        job, _, number = host.partition(".")[0].rpartition("-")
        if not index.isdecimal() or number != index or not int(index) < workers:
            raise UserError(
                "strategy=multi_worker(resolver='kubernetes') needs a Job with completionMode: "
                f"Indexed and completions: {workers}. Received: JOB_COMPLETION_INDEX={index!r}, "
                f"HOSTNAME={host!r}."
            )
        addresses = tuple(f"{job}-{worker}.{service}:{port or 2222}" for worker in range(workers))
        return cls(addresses, int(index))

    def tf_config(self) -> str:
        """Return the cluster in the form of TF_CONFIG."""
        task = {"type": "worker", "index": self.worker}
        return json.dumps({"cluster": {"worker": list(self.addresses)}, "task": task})


def _index(value: Any) -> int:
    """Return the index of a task, which some launchers write as a text."""
    if not str(value).isdecimal():
        raise ValueError(f"index {value!r}")
    return int(value)


def _addresses(jobs: Any, kind: str) -> list[str]:
    """Return the addresses of one kind of task; none if the cluster has none."""
    addresses = jobs.get(kind, [])
    if not isinstance(addresses, list):
        raise ValueError(f"{kind} is no list")
    for address in addresses:
        if not (isinstance(address, str) and re.fullmatch(r"\S+:\d+", address)):
            raise ValueError(f"{address!r} is no host:port")
    return addresses
