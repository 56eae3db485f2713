"""Reading the workers of a run from each launcher's environment."""

import json

import pytest

from ftkeras.errors import UserError
from ftkeras.strategies import Cluster

HOSTS = ["a:1", "b:2"]


def _tf_config(cluster: dict, kind: str, index: float | str) -> str:
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


def test_tf_config_gives_the_workers_and_this_ones_number():
    for index in range(2):
        cluster = Cluster.from_tf_config(_tf_config({"worker": HOSTS}, "worker", index))
        assert cluster == Cluster(("a:1", "b:2"), index)
        assert Cluster.from_tf_config(cluster.tf_config()) == cluster


def test_chief_of_tf_config_is_the_first_worker():
    jobs = {"worker": HOSTS, "chief": ["c:3"]}
    for kind, index, worker in (("chief", 0, 0), ("worker", 0, 1), ("worker", 1, 2)):
        cluster = Cluster.from_tf_config(_tf_config(jobs, kind, index))
        assert cluster == Cluster(("c:3", "a:1", "b:2"), worker)


def test_index_of_tf_config_may_be_a_text():
    text = _tf_config({"worker": HOSTS}, "worker", "1")
    assert Cluster.from_tf_config(text) == Cluster(("a:1", "b:2"), 1)


@pytest.mark.parametrize(
    ("cluster", "index", "problem"),
    [
        ({"worker": "a:1"}, 0, "worker is no list"),
        ({"worker": {"0": "a:1"}}, 0, "worker is no list"),
        ({"worker": ["a:1", "b"]}, 0, "'b' is no host:port"),
        ({"worker": ["a:1", 2]}, 0, "2 is no host:port"),
        ({"worker": ["a:1", "a:1"]}, 0, "an address is there twice"),
        ({"worker": ["a:1"], "chief": ["a:1"]}, 0, "an address is there twice"),
        ({"worker": HOSTS}, 0.9, "index 0.9"),
        ({"worker": HOSTS}, True, "index True"),
        ({"worker": HOSTS}, float("inf"), "index inf"),
    ],
)
def test_problem_of_a_malformed_tf_config_is_named(cluster, index, problem):
    with pytest.raises(UserError, match=f"the problem is ValueError.*{problem}"):
        Cluster.from_tf_config(_tf_config(cluster, "worker", index))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        _tf_config({"worker": HOSTS}, "worker", 2),
        _tf_config({"worker": HOSTS}, "worker", -1),
        _tf_config({"worker": HOSTS}, "chief", 0),
        _tf_config({"worker": HOSTS, "ps": ["d:4"]}, "worker", 0),
    ],
)
def test_malformed_tf_config_is_refused(text):
    with pytest.raises(UserError, match="TF_CONFIG must read") as raised:
        Cluster.from_tf_config(text)
    assert "\n" not in str(raised.value)


def test_workers_are_the_tasks_of_a_slurm_step(monkeypatch):
    step = {
        "SLURM_JOB_ID": "1234567",
        "SLURM_PROCID": "2",
        "SLURM_STEP_NUM_TASKS": "3",
        "SLURM_STEP_NODELIST": "node[07-08]",
        "SLURM_STEP_TASKS_PER_NODE": "2,1",
    }
    for name, value in step.items():
        monkeypatch.setenv(name, value)
    cluster = Cluster.from_slurm(port=None)
    assert cluster == Cluster(("node07:31340", "node07:31341", "node08:31340"), 2)
    assert Cluster.from_slurm(port=5000).addresses[-1] == "node08:5000"


def test_workers_are_the_pods_of_an_indexed_job(monkeypatch):
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    monkeypatch.setenv("HOSTNAME", "my-run-1")
    cluster = Cluster.from_kubernetes(2, "ftkeras", port=None)
    assert cluster == Cluster(("my-run-0.ftkeras:2222", "my-run-1.ftkeras:2222"), 1)


@pytest.mark.parametrize(("index", "host"), [("", "run-0"), ("2", "run-2"), ("0", "run-1")])
def test_kubernetes_needs_an_indexed_job(monkeypatch, index, host):
    monkeypatch.setenv("JOB_COMPLETION_INDEX", index)
    monkeypatch.setenv("HOSTNAME", host)
    with pytest.raises(UserError, match="completionMode: Indexed and completions: 2"):
        Cluster.from_kubernetes(2, "ftkeras", port=None)
