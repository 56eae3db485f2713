"""Who the workers are, by what a launcher left in the environment."""

import json
import os
from dataclasses import dataclass

from ftkeras.errors import UserError


@dataclass(frozen=True)
class Cluster:
    """The workers' addresses, host:port, the chief's first, and which of them this process is."""

    addresses: tuple[str, ...]
    worker: int

    def tf_config(self) -> str:
        """The same as TF_CONFIG says it."""
        task = {"type": "worker", "index": self.worker}
        return json.dumps({"cluster": {"worker": list(self.addresses)}, "task": task})


def of_tf_config(text: str) -> Cluster:
    """Reads TF_CONFIG: {"cluster": {"worker": [address, …]}, "task": {"type": …, "index": …}}.

    A "chief" may stand beside the workers; it is the first of them then.

    Raises:
        UserError: where it says something else, with what.
    """
    try:
        content = json.loads(text)
        jobs, task = content["cluster"], content["task"]
        kind, index = task["type"], int(task["index"])
        others = set(jobs) - {"chief", "worker"}
        chiefs, workers = jobs.get("chief", []), jobs.get("worker", [])
        addresses = tuple(str(address) for address in (*chiefs, *workers))
        if others or kind not in jobs or not 0 <= index < len(jobs[kind]):
            raise ValueError(f"task {kind} {index} of {', '.join(jobs)}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            'TF_CONFIG must read {"cluster": {"worker": ["host:port", …]}, "task": {"type": '
            f'"worker", "index": 0}}}}; the trouble is {error!r}. Received: {text[:200]!r}.'
        ) from None
    return Cluster(addresses, index + len(chiefs) * (kind == "worker"))


def of_slurm(port: int | None) -> Cluster:
    """The tasks of this job step, as TensorFlow's own resolver lists them.

    Raises:
        UserError: outside a step that `srun` started.
    """
    import tensorflow as tf  # only here: `launch` needs no more than the addresses

    try:
        # Ports that jobs which share a node are unlikely to share.
        base = port or 20000 + int(os.environ["SLURM_JOB_ID"]) % 1000 * 20
        tasks = int(os.environ["SLURM_STEP_NUM_TASKS"])
        # It divides by the GPUs of a task, so it is told one a task; which GPUs this process
        # sees is Slurm's matter.
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
            port_base=base, gpus_per_node=tasks, gpus_per_task=1, auto_set_gpu=False
        )
        addresses = tuple(resolver.cluster_spec().as_dict()["worker"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise UserError(
            "strategy=multi_worker(resolver='slurm') wants to be started by srun, in an "
            f"allocation; the trouble is {error!r}."
        ) from None
    return Cluster(addresses, resolver.task_id)


def of_kubernetes(workers: int, service: str, port: int | None) -> Cluster:
    """The pods of an indexed Job, by their names under a headless Service.

    Not by TensorFlow's KubernetesClusterResolver: it asks the API server, which needs rights,
    takes the nodes' addresses for the pods', and fails while a pod has yet to start.
    Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode.

    Raises:
        UserError: outside such a Job.
    """
    index, host = os.environ.get("JOB_COMPLETION_INDEX", ""), os.environ.get("HOSTNAME", "")
    job, _, number = host.partition(".")[0].rpartition("-")
    if not index.isdecimal() or number != index or not int(index) < workers:
        raise UserError(
            "strategy=multi_worker(resolver='kubernetes') wants a Job with completionMode: "
            f"Indexed and completions: {workers}. Received: JOB_COMPLETION_INDEX={index!r}, "
            f"HOSTNAME={host!r}."
        )
    addresses = tuple(f"{job}-{worker}.{service}:{port or 2222}" for worker in range(workers))
    return Cluster(addresses, int(index))
