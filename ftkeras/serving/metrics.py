"""What is counted, under the names that TensorFlow Serving counts it under.

Source: tensorflow/serving, servables/tensorflow/util.cc and batching/batching_session.cc.
"""

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram

prometheus_client.disable_created_metrics()  # TensorFlow Serving has none
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def _exponential(scale: float, power: float, count: int) -> list[float]:
    return [float(f"{scale * power**place:.6g}") for place in range(count)]


# Microseconds: 10 to about 20 minutes, and 100 to about one second.
LATENCIES = _exponential(10, 1.8, 33)
QUEUING = _exponential(100, 1.2, 52)


class Metrics:
    """Counters and histograms of one server.

    Args:
        name: the model's.
    """

    def __init__(self, name: str):
        self.name, self.registry = name, CollectorRegistry()
        self._requests = Counter(
            ":tensorflow:serving:request_count",
            "Requests, by how they ended.",
            ["model_name", "status"],
            registry=self.registry,
        )
        self._latency = Histogram(
            ":tensorflow:serving:request_latency",
            "Microseconds from a request to its answer.",
            ["model_name", "API", "entrypoint"],
            buckets=LATENCIES,
            registry=self.registry,
        )
        self._runtime = Histogram(
            ":tensorflow:serving:runtime_latency",
            "Microseconds in TensorFlow, by batch.",
            ["model_name", "API", "runtime"],
            buckets=LATENCIES,
            registry=self.registry,
        )
        self._queuing = Histogram(
            ":tensorflow:serving:batching_session:queuing_latency",
            "Microseconds that a request waited for its batch.",
            ["thread_pool_name"],
            buckets=QUEUING,
            registry=self.registry,
        )
        self._batch_size = Histogram(
            ":tensorflow:serving:batching_session:processed_batch_size",
            "Rows of a batch that was run.",
            ["model_name"],
            buckets=_exponential(1, 2, 11),
            registry=self.registry,
        )

    def request(self, api: str, status: str, seconds: float) -> None:
        """Counts a request that was answered."""
        self._requests.labels(self.name, status).inc()
        self._latency.labels(self.name, api, "REST").observe(seconds * 1e6)

    def run(self, rows: int, seconds: float) -> None:
        """Counts a batch that was run."""
        self._runtime.labels(self.name, "Predict", "TF2").observe(seconds * 1e6)
        self._batch_size.labels(self.name).observe(rows)

    def waited(self, seconds: float) -> None:
        """Counts a request's time before its batch."""
        self._queuing.labels("batch_threads").observe(seconds * 1e6)

    def page(self) -> bytes:
        """All of it, in Prometheus' text format."""
        page = prometheus_client.generate_latest(self.registry)
        # The library adds `_total` to a counter's name; TensorFlow Serving does not.
        return page.replace(b":request_count_total", b":request_count")
