"""The files that `deploy` writes, parsed as their readers parse them."""

import pathlib
import re
import shutil

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from tensorflow_serving.config import model_server_config_pb2

from ftkeras.config.serving import DeployConfig
from ftkeras.errors import UserError
from ftkeras.runs import audit, exported
from ftkeras.serving import manifests
from ftkeras.serving.manifests import Plan
from ftkeras.serving.settings import read_batching
from ftkeras.verbs import deploy

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "serving"


def _model(folder: pathlib.Path, *versions: int) -> pathlib.Path:
    for version in versions:
        (folder / str(version)).mkdir(parents=True, exist_ok=True)
        (folder / str(version) / "saved_model.pb").write_bytes(b"")
    return folder


@pytest.fixture
def written(tmp_path, monkeypatch) -> pathlib.Path:
    """Write the files for versions 1 and 2, of which 1 is stable."""
    monkeypatch.chdir(tmp_path)
    _model(tmp_path / "saved_models" / "My-imdb", 1, 2)
    deploy.run(DeployConfig(model="saved_models/My-imdb", stable=1, output="out", batch_size=20))
    return tmp_path / "out"


def _served(folder: pathlib.Path):
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse((folder / "models.config").read_text(), config)
    (model,) = config.model_config_list.config
    return model


def test_models_config_can_be_parsed_by_tensorflow_serving(written):
    model = _served(written)
    assert (model.name, model.base_path) == ("My-imdb", "/models/My-imdb")
    assert model.model_platform == "tensorflow"
    assert list(model.model_version_policy.specific.versions) == [1, 2]
    assert dict(model.version_labels) == {"stable": 1, "canary": 2}


def _monitoring_config():
    """Return an empty MonitoringConfig message, which TensorFlow Serving's Python package lacks."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="monitoring.proto", syntax="proto3")
    prometheus = file.message_type.add(name="PrometheusConfig")
    prometheus.field.add(name="enable", number=1, type=field.TYPE_BOOL)
    prometheus.field.add(name="path", number=2, type=field.TYPE_STRING)
    monitoring = file.message_type.add(name="MonitoringConfig")
    monitoring.field.add(
        name="prometheus_config",
        number=1,
        type=field.TYPE_MESSAGE,
        type_name=".PrometheusConfig",
    )
    for message in file.message_type:
        for one in message.field:
            one.label = field.LABEL_OPTIONAL
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("MonitoringConfig"))()


def test_monitoring_config_enables_prometheus(written):
    config = _monitoring_config()
    text_format.Parse((written / "monitoring.config").read_text(), config)
    assert config.prometheus_config.enable
    assert config.prometheus_config.path == "/monitoring/prometheus/metrics"


def test_batching_config_can_be_read_by_both_servers(written):
    batching = read_batching(str(written / "batching.config"))
    assert batching.max_batch_size == 20
    assert batching.allowed_batch_sizes == (1, 2, 3, 4, 6, 8, 12, 16, 20)


def _flags(words: list[str]) -> dict[str, str]:
    return dict(word.removeprefix("--").split("=") for word in words)


def test_compose_runs_the_official_image_with_the_written_files(written):
    (service,) = yaml.safe_load((written / "docker-compose.yaml").read_text())["services"].values()
    assert service["image"] == "tensorflow/serving:2.21.0"
    flags = _flags(service["command"])
    models, config = service["volumes"]
    assert (models["type"], models["read_only"], config[-3:]) == ("bind", True, ":ro")
    mounts = {models["target"]: models["source"], "/config": config.split(":")[0]}
    assert (written / mounts["/models/My-imdb"] / "2" / "saved_model.pb").is_file()
    for flag in ("model_config_file", "batching_parameters_file", "monitoring_config_file"):
        path = pathlib.PurePosixPath(flags[flag])
        assert (written / mounts[str(path.parent)] / path.name).is_file()
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_compose_is_given_any_path_as_it_is(tmp_path, monkeypatch):
    """A colon would end it, and a variable's value would take the place of its name."""
    monkeypatch.chdir(tmp_path)
    _model(tmp_path / 'a: "$HOME" {b}' / "imdb", 1)
    deploy.run(DeployConfig(model='a: "$HOME" {b}/imdb', output="out"))
    text = (tmp_path / "out" / "docker-compose.yaml").read_text()
    (service,) = yaml.safe_load(text)["services"].values()
    assert service["volumes"][0]["source"] == '../a: "$$HOME" {b}/imdb'


def test_kubernetes_probes_the_model(written):
    text = (written / "kubernetes.yaml").read_text()
    objects = {found["kind"]: found for found in yaml.safe_load_all(text)}
    pod = objects["Deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    flags = _flags(container["args"])
    assert ports == {"grpc": int(flags["port"]), "rest": int(flags["rest_api_port"])}
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/v1/models/My-imdb", "port": "rest"}
    assert container["livenessProbe"]["tcpSocket"] == {"port": "grpc"}
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert mounted == {"config": "/config", "models": "/models/My-imdb"}
    claim = volumes["models"]["persistentVolumeClaim"]["claimName"]
    assert claim == objects["PersistentVolumeClaim"]["metadata"]["name"]
    selected = objects["Service"]["spec"]["selector"]
    assert selected == objects["Deployment"]["spec"]["selector"]["matchLabels"]
    assert selected == pod["metadata"]["labels"]
    assert objects["Deployment"]["metadata"]["name"] == "serving-my-imdb"  # a DNS name


def test_log_that_cannot_be_written_is_refused_before_anything_is_done(tmp_path):
    model = _model(tmp_path / "imdb", 1)
    (tmp_path / "run" / "audit.jsonl").mkdir(parents=True)  # which not even root can write to
    exported.record(model / "1", {"run": "../../run"})
    with pytest.raises(UserError, match=rf"^model={model}: run=.*/run: audit\.jsonl can't be"):
        deploy.run(DeployConfig(model=str(model), output=str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_audit_log_of_a_run_says_what_was_promoted(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    model = _model(tmp_path / "imdb", 1, 2)
    for version, name in ((1, "a"), (2, "b")):
        (tmp_path / name).mkdir()
        exported.record(model / str(version), {"run": f"../../{name}"})

    def run(stable: int) -> list[tuple[str, str, int, int | None]]:
        deploy.run(DeployConfig(model="imdb", output="out", stable=stable))
        return [
            (name, *(entry["details"][key] for key in ("label", "version", "instead_of")))
            for name in ("a", "b")
            for entry in audit.read(tmp_path / name).entries
            if entry["event"] == "promoted"
        ]

    first = [("a", "stable", 1, None), ("b", "canary", 2, None)]
    assert run(1) == first
    assert run(1) == first  # no label moves
    assert run(2) == [*first, ("b", "stable", 2, 1)]
    assert not audit.read(tmp_path / "b").broken
    shutil.rmtree(tmp_path / "a")
    with caplog.at_level("INFO", "ftkeras"):
        run(1)
    assert "the run of version 1 is not on this machine" in caplog.text
    assert not (tmp_path / "a").exists()


def test_newer_version_is_the_canary_until_it_is_made_stable(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(**given) -> tuple[list[int], dict[str, int]]:
        deploy.run(DeployConfig(model="imdb", **given))
        model = _served(tmp_path / "deploy-imdb")
        versions = list(model.model_version_policy.specific.versions)
        return versions, dict(model.version_labels)

    _model(tmp_path / "imdb", 1)
    assert run() == ([1], {"stable": 1})
    _model(tmp_path / "imdb", 2)
    assert run() == ([1, 2], {"stable": 1, "canary": 2})
    assert run(stable=2) == ([1, 2], {"stable": 2})  # 1 stays loaded for a rollback
    assert run(stable=1) == ([1, 2], {"stable": 1, "canary": 2})
    _model(tmp_path / "imdb", 3)
    capsys.readouterr()
    assert run() == ([1, 2, 3], {"stable": 1, "canary": 2})
    assert "canary stays version 2 while 3 is loaded; run this again" in capsys.readouterr().out
    assert run() == ([1, 3], {"stable": 1, "canary": 3})


@pytest.mark.parametrize(
    ("wanted", "before", "there", "then"),
    [
        # A new label may name a version that is not loaded yet.
        ({"stable": 1}, None, {1}, Plan((1,), {"stable": 1})),
        # A label that moves must name a loaded version.
        ({"stable": 2}, Plan((1,), {"stable": 1}), {1, 2}, Plan((1, 2), {"stable": 1})),
        ({"stable": 2}, Plan((1, 2), {"stable": 1}), {1, 2}, Plan((1, 2), {"stable": 2})),
        # A removed version is not loaded.
        ({"stable": 2}, Plan((1, 2), {"stable": 1}), {2}, Plan((2,), {"stable": 2})),
    ],
)
def test_plan_is_accepted_by_tensorflow_serving(wanted, before, there, then):
    assert manifests.next_plan(wanted, before, there) == then


def test_label_can_not_stay_at_a_version_that_is_gone():
    with pytest.raises(UserError, match="stable=3: stable must stay version 1 .* 1 is gone"):
        manifests.next_plan({"stable": 3}, Plan((1, 2), {"stable": 1}), {2, 3})


def test_folders_that_are_no_numbers_are_no_versions(tmp_path):
    folder = _model(tmp_path / "imdb", 1)
    for name in ("1.bak", "2_old"):
        shutil.copytree(folder / "1", folder / name)
    assert manifests.versions(folder) == {1}


def test_objects_in_kubernetes_have_a_name_that_it_accepts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _model(tmp_path / "imdb", 1)
    deploy.run(DeployConfig(model="imdb", name=f"模型-{'a' * 47}_{'b' * 30}", output="out"))
    text = (tmp_path / "out" / "kubernetes.yaml").read_text(encoding="utf-8")
    names = {found["kind"]: found["metadata"]["name"] for found in yaml.safe_load_all(text)}
    # RFC 1123, as the API server checks it
    assert re.fullmatch("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", names["Service"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stable": 7}, "stable=7 is not a version of the model. It has: 1."),
        ({"name": "a b"}, "`name` may have letters"),
        ({"name": "模型"}, "and needs a digit or a letter from A to Z. Received: 模型."),
        ({"model": "imdb/1"}, "deploy needs the folder of versions"),
        ({"model": None}, "deploy needs `model`"),
        ({"output": "imdb/1/saved_model.pb"}, "output=imdb/1/saved_model.pb can't be written"),
    ],
)
def test_invalid_argument_is_named(tmp_path, monkeypatch, given, message):
    monkeypatch.chdir(tmp_path)
    _model(tmp_path / "imdb", 1)
    with pytest.raises(UserError) as error:
        deploy.run(DeployConfig(**{"model": "imdb", **given}))
    assert message in str(error.value)


def test_example_in_the_repository_is_up_to_date(tmp_path, monkeypatch):
    _model(tmp_path / "saved_models" / "imdb", 1, 2)
    monkeypatch.chdir(tmp_path)
    deploy.run(DeployConfig(model="saved_models/imdb", stable=1, output="deploy/serving"))
    assert {path.name for path in EXAMPLE.iterdir()} == {
        path.name for path in (tmp_path / "deploy" / "serving").iterdir()
    }
    for path in EXAMPLE.iterdir():
        assert path.read_text() == (tmp_path / "deploy" / "serving" / path.name).read_text()
