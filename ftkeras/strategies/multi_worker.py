"""Several machines."""

import os

import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.strategies._base import Devices
from ftkeras.strategies._cluster import Cluster
from ftkeras.support import bounds
from ftkeras.support.exchange import DTYPES, Exchange

RESOLVERS = ("tf_config", "slurm", "kubernetes")


class MultiWorker:
    """Use several machines, each with all its GPUs (or its CPU) and a part of every batch.

    g = Σ_r g_r over the replicas of all workers, as in `mirrored`. Each worker runs the same
    command and has its own copy of the data. Only the first one, the chief, writes files and
    prints.

    On CPUs, the gradient of an embedding is exchanged by its rows if the batches have one shape,
    such as packed ones, and these rows are fewer bytes than the whole table.

    Source: https://www.tensorflow.org/api_docs/python/tf/distribute/MultiWorkerMirroredStrategy.

    Args:
        resolver: the source of the workers' addresses: tf_config, the environment variable;
            slurm, the tasks that `srun` started; kubernetes, the pods of an indexed Job. None
            means tf_config if it is set, and slurm otherwise.
        port: port of each worker; with slurm, the first port on a node. Positive.
        workers, service: with kubernetes, the Job's completions and its headless Service.
        compress: 'bfloat16' sends gradients in half the bytes; each g_r, and each partial sum on
            its way, is then rounded to 8 significant bits, and the sum is used in float32. None
            sends them as they are.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> MultiWorker(resolver="slurm", port=5000).port
    5000
    """

    def __init__(
        self,
        *,
        resolver: str | None = None,
        port: int | None = None,
        workers: int | None = None,
        service: str | None = None,
        compress: str | None = None,
    ):
        if resolver not in (None, *RESOLVERS):
            raise ValueError(
                f"`resolver` must be one of {', '.join(RESOLVERS)}. Received: {resolver!r}."
            )
        if compress not in (None, *DTYPES):
            raise ValueError(
                f"`compress` must be {' or '.join(DTYPES)}, or None. Received: {compress!r}."
            )
        counts = {"port": port, "workers": workers}
        bounds.integer(1, **{name: value for name, value in counts.items() if value is not None})
        if resolver == "kubernetes" and not (workers and service):
            raise ValueError(
                "`workers` and `service` must be given for kubernetes. "
                f"Received: {workers!r} and {service!r}."
            )
        self.resolver, self.port, self.workers, self.service = resolver, port, workers, service
        self.compress = compress

    def open(self) -> Devices:
        """Wait for all workers, and return this worker's devices.

        Raises:
            UserError: the environment does not name the workers.
        """
        cluster, gpus = self._cluster(), len(tf.config.list_physical_devices("GPU"))
        resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec({"worker": cluster.addresses}),
            task_type="worker",
            task_id=cluster.worker,
            num_accelerators={"GPU": gpus},
            rpc_layer="grpc",
        )
        strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
        # A GPU adds up rows in any order, and so the workers' weights would drift apart.
        exchange = Exchange(self.compress, rows=not gpus)
        return Devices(strategy, cluster.worker, len(cluster.addresses), exchange)

    def _cluster(self) -> Cluster:
        if self.resolver == "kubernetes" and self.workers and self.service:
            return Cluster.from_kubernetes(self.workers, self.service, self.port)
        text = os.environ.get("TF_CONFIG")
        if text and self.resolver != "slurm":
            return Cluster.from_tf_config(text)
        if self.resolver == "slurm" or (not self.resolver and "SLURM_STEP_ID" in os.environ):
            return Cluster.from_slurm(self.port)
        raise UserError(
            "strategy=multi_worker: TF_CONFIG is not set; python -m ftkeras.main launch sets it "
            "for workers on this machine, and prints it for workers on other machines."
        )

    def get_config(self) -> dict:
        names = ("resolver", "port", "workers", "service", "compress")
        return {name: getattr(self, name) for name in names}
