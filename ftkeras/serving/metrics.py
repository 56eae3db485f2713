"""Count requests and measure times, under the metric names that TensorFlow Serving uses.

Source: tensorflow/serving, servables/tensorflow/util.cc and batching/batching_session.cc.
"""

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram

prometheus_client.disable_created_metrics()  # TensorFlow Serving has none
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def _exponential(scale: float, power: float, count: int) -> list[float]:
    """Return the bucket bounds scale · power^i for i < count."""
    return [float(f"{scale * power**i:.6g}") for i in range(count)]


# Microseconds: 10 to about 20 minutes, and 100 to about one second.
LATENCIES = _exponential(10, 1.8, 33)
QUEUING = _exponential(100, 1.2, 52)


class Metrics:
    """Counters and histograms of one server.

    Args:
        name: The model's name.
    """

    def __init__(self, name: str):
        self.name, self.registry = name, CollectorRegistry()
        self._requests = Counter(
            ":tensorflow:serving:request_count",
            "Requests, by status.",
            ["model_name", "status"],
            registry=self.registry,
        )
        self._latency = self._histogram(
            "request_latency",
            "Microseconds from receiving a request to answering it.",
            ["model_name", "API", "entrypoint"],
            LATENCIES,
        )
        self._runtime = self._histogram(
            "runtime_latency",
            "Microseconds that TensorFlow takes for a batch.",
            ["model_name", "API", "runtime"],
            LATENCIES,
        )
        self._queuing = self._histogram(
            "batching_session:queuing_latency",
            "Microseconds that a request waits for its batch.",
            ["thread_pool_name"],
            QUEUING,
        )
        self._batch_size = self._histogram(
            "batching_session:processed_batch_size",
            "Rows in a batch that was run.",
            ["model_name"],
            _exponential(1, 2, 11),
        )

    def record_request(self, api: str, status: str, seconds: float) -> None:
        """Count an answered request.

        Args:
            api: The verb, such as `predict`.
            status: gRPC's status code.
            seconds: From receiving the request to answering it.
        """
        self._requests.labels(self.name, status).inc()
        self._latency.labels(self.name, api, "REST").observe(seconds * 1e6)

    def record_batch(self, rows: int, seconds: float) -> None:
        """Count a batch that was run."""
        self._runtime.labels(self.name, "Predict", "TF2").observe(seconds * 1e6)
        self._batch_size.labels(self.name).observe(rows)

    def record_wait(self, seconds: float) -> None:
        """Record how long a request waited for its batch."""
        self._queuing.labels("batch_threads").observe(seconds * 1e6)

    def page(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        page = prometheus_client.generate_latest(self.registry)
        # The library adds `_total` to a counter's name; TensorFlow Serving does not.
        return page.replace(b":request_count_total", b":request_count")

    def _histogram(
        self, name: str, description: str, labels: list[str], buckets: list[float]
    ) -> Histogram:
        full_name = f":tensorflow:serving:{name}"
        return Histogram(full_name, description, labels, buckets=buckets, registry=self.registry)
