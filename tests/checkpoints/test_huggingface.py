"""Checkpoints on disk and on the Hub: finding, reading and writing them, and errors in one line."""

import json
import os
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import ml_dtypes
import numpy as np
import pytest
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ftkeras.checkpoints import huggingface
from ftkeras.errors import UserError

TENSORS = {
    "a.weight": np.arange(6, dtype="float32").reshape(2, 3),
    "b.bias": np.array([1.5, -2.0], "float32"),
    "ids": np.arange(4)[None],
}
SHA = "0123456789abcdef0123456789abcdef01234567"


def assert_refused(action, *parts):
    with pytest.raises(UserError) as error:
        action()
    message = str(error.value)
    assert "\n" not in message
    for part in ("encoder", *map(str, parts)):
        assert part in message


def assert_equal(actual, wanted):
    assert set(actual) == set(wanted)
    assert len(actual) == len(wanted)
    for name, array in wanted.items():
        assert actual[name].dtype == array.dtype
        np.testing.assert_array_equal(actual[name], array)


def write_shards(folder, shards):
    for file, tensors in shards.items():
        save_file(tensors, folder / file)
    places = {name: file for file, tensors in shards.items() for name in tensors}
    write_index(folder, {"metadata": {}, "weight_map": places})


def write_index(folder, content):
    (folder / "model.safetensors.index.json").write_text(json.dumps(content))


def two_shards(folder):
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    rest = {name: array for name, array in TENSORS.items() if name != "b.bias"}
    write_shards(folder, {first: rest, second: {"b.bias": TENSORS["b.bias"]}})
    return folder / second


def test_folder_resolves_to_itself(tmp_path, monkeypatch):
    assert huggingface.resolve(str(tmp_path)) == tmp_path
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "model").mkdir()
    assert huggingface.resolve("~/model") == tmp_path / "model"


@pytest.mark.parametrize("name", ["./nowhere", "/no/where/at/all", "a/b/c", "", "a b", "../up"])
def test_what_is_neither_folder_nor_hub_id_is_refused(name):
    assert_refused(lambda: huggingface.resolve(name), f"encoder={name}", "config.json")


def test_file_is_refused(tmp_path):
    file = tmp_path / "model.safetensors"
    file.touch()
    assert_refused(lambda: huggingface.resolve(str(file)), file, "is a file", "folder")


def test_config_is_read(tmp_path):
    (tmp_path / "config.json").write_text('{"hidden_size": 16, "name": "ü"}', encoding="utf-8")
    assert huggingface.read_config(tmp_path) == {"hidden_size": 16, "name": "ü"}


@pytest.mark.parametrize("content", [b'{"hidden_size": 16', b"", b"\xff\xfe", b"[1]", b"null"])
def test_broken_config_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    assert_refused(lambda: huggingface.read_config(tmp_path), tmp_path / "config.json", "again")


def test_missing_config_is_refused(tmp_path):
    assert_refused(lambda: huggingface.read_config(tmp_path), tmp_path, "no config.json", "give")


def test_single_file_is_read(tmp_path):
    save_file(TENSORS, tmp_path / "model.safetensors")
    assert_equal(huggingface.read_tensors(tmp_path), TENSORS)


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2"])
def test_types_that_numpy_lacks_are_refused(tmp_path, dtype):
    save_file({"a.weight": np.zeros(3, getattr(ml_dtypes, dtype))}, tmp_path / "model.safetensors")
    tensors = huggingface.read_tensors(tmp_path)
    assert_refused(lambda: tensors["a.weight"], "a.weight", "F8_", "not quantized")


def test_numbers_of_4_bits_are_refused(tmp_path):
    header = b'{"a.weight": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}}'
    content = len(header).to_bytes(8, "little") + header + bytes(2)
    (tmp_path / "model.safetensors").write_bytes(content)
    tensors = huggingface.read_tensors(tmp_path)
    assert_refused(lambda: tensors["a.weight"], "a.weight", "F4", "not quantized")


def test_shards_are_read_as_one(tmp_path):
    two_shards(tmp_path)
    assert_equal(huggingface.read_tensors(tmp_path), TENSORS)


@pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16])
def test_half_precision_comes_out_as_float32(tmp_path, dtype):
    halves = {"x": np.array([0.5, -3.0, 2.0**-14]).astype(dtype)}
    save_file(halves, tmp_path / "model.safetensors")
    assert_equal(huggingface.read_tensors(tmp_path), {"x": halves["x"].astype("float32")})


def test_tensors_are_read_only_when_asked_for(tmp_path):
    save_file(TENSORS, tmp_path / "model.safetensors")
    tensors = huggingface.read_tensors(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    assert set(tensors) == set(TENSORS)
    assert_refused(lambda: tensors["b.bias"], tmp_path / "model.safetensors", "missing")


@pytest.mark.parametrize("keep", [0, 4, 40, -1])
def test_truncated_file_is_refused(tmp_path, keep):
    path = tmp_path / "model.safetensors"
    save_file(TENSORS, path)
    path.write_bytes(path.read_bytes()[:keep])
    assert_refused(lambda: huggingface.read_tensors(tmp_path), path, "damaged", "fetch it again")


def test_missing_shard_is_named(tmp_path):
    shard = two_shards(tmp_path)
    shard.unlink()
    assert_refused(lambda: huggingface.read_tensors(tmp_path), shard, "missing")


def test_shard_that_lacks_its_tensor_is_named(tmp_path):
    shard = two_shards(tmp_path)
    save_file({"other": TENSORS["ids"]}, shard)
    assert_refused(lambda: huggingface.read_tensors(tmp_path), shard, "b.bias")


@pytest.mark.parametrize(
    "index",
    [
        {},
        {"weight_map": []},
        {"weight_map": {"a": 1}},
        {"weight_map": {"a": "../model.safetensors"}},
    ],
)
def test_index_without_plain_file_names_is_refused(tmp_path, index):
    write_index(tmp_path, index)
    assert_refused(lambda: huggingface.read_tensors(tmp_path), "index.json", "weight_map")


@pytest.mark.parametrize("file", ["model.ckpt", "weights.pt", "flax_model.msgpack", "other.bin"])
def test_other_weights_are_refused_with_the_way_out(tmp_path, file):
    (tmp_path / file).touch()
    way = f"from_pretrained('{tmp_path}').save_pretrained("
    assert_refused(lambda: huggingface.read_tensors(tmp_path), f"only {file}, which", way)


def test_folder_without_weights_is_refused(tmp_path):
    assert_refused(lambda: huggingface.read_tensors(tmp_path), tmp_path, "no model.safetensors")


def test_written_folder_reads_back_and_leaves_nothing_beside(tmp_path):
    folder, config = tmp_path / "new" / "model", {"b": 1, "a": "ü"}
    transposed = {**TENSORS, "t": TENSORS["a.weight"].T}
    huggingface.write(folder, config=config, tensors=transposed)
    huggingface.write(folder, config=config, tensors=transposed)
    assert huggingface.read_config(folder) == config
    assert_equal(huggingface.read_tensors(folder), transposed)
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors"}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert len(modes) == 1, "the weights can be read by whoever can read the config"


def test_written_weights_say_they_are_pytorch_s(tmp_path):
    huggingface.write(tmp_path, config={}, tensors=TENSORS)
    with safe_open(tmp_path / "model.safetensors", framework="numpy") as file:
        assert file.metadata() == {"format": "pt"}


def test_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="file"):
        huggingface.write(tmp_path / "file" / "model", config={}, tensors=TENSORS)


def test_failed_write_leaves_the_old_weights(tmp_path, monkeypatch):
    huggingface.write(tmp_path, config={}, tensors=TENSORS)

    def fail(tensors, path, metadata):
        path.write_bytes(b"half")
        raise SafetensorError("Error while serializing: I/O error: full (os error 28)")

    monkeypatch.setattr("safetensors.numpy.save_file", fail)
    with pytest.raises(OSError, match=r"No space left on device: .*model\.safetensors"):
        huggingface.write(tmp_path, config={}, tensors={"other": TENSORS["ids"]})
    assert_equal(huggingface.read_tensors(tmp_path), TENSORS)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors"}


# The Hub library reads its settings when it is imported, so each of these runs in its own process.


def resolve_in_fresh_process(name, **environment):
    code = """
import sys
from ftkeras import errors
from ftkeras.checkpoints import huggingface as pretrained
assert not {"keras", "tensorflow", "huggingface_hub", "safetensors"} & set(sys.modules)
try:
    print(pretrained.resolve(sys.argv[1]))
except errors.UserError as error:
    print("refused", error)
"""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    environment = {**clean, **environment, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.removesuffix("\n")


def fill_cache(home, repository):
    root = home / "hub" / f"models--{repository.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(SHA)
    folder = root / "snapshots" / SHA
    folder.mkdir(parents=True)
    huggingface.write(folder, config={"model_type": "bert"}, tensors=TENSORS)
    return folder


@pytest.mark.parametrize("repository", ["someone/some-model", "some-model"])
def test_hub_id_comes_from_the_cache_when_offline(tmp_path, repository):
    folder = fill_cache(tmp_path, repository)
    found = resolve_in_fresh_process(repository, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1")
    assert found == str(folder)
    assert_equal(huggingface.read_tensors(found), TENSORS)


def test_what_comes_from_the_hub_is_known_by_its_cache(tmp_path, monkeypatch):
    fill_cache(tmp_path, "someone/some-model")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    assert huggingface.is_from_hub("someone/some-model")
    assert not huggingface.is_from_hub("someone/other")
    assert not huggingface.is_from_hub("./someone/some-model")
    (tmp_path / "someone" / "some-model").mkdir(parents=True)
    assert not huggingface.is_from_hub("someone/some-model")  # a folder comes first


def test_hub_id_that_is_not_cached_is_refused_when_offline(tmp_path):
    said = resolve_in_fresh_process("some/model", HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1")
    assert said.startswith("refused encoder=some/model: no folder of that name")
    assert "\n" not in said
    for part in ("HF_HUB_OFFLINE is set", str(tmp_path), "HF_HOME", "give a folder"):
        assert part in said


def test_hub_that_cannot_be_reached_is_told_and_the_cache_serves(tmp_path):
    # Nothing listens on the discard port.
    nowhere = {"HF_HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"}
    folder = fill_cache(tmp_path, "cached/model")
    assert resolve_in_fresh_process("cached/model", **nowhere) == str(folder)
    said = resolve_in_fresh_process("some/model", **nowhere)
    assert "\n" not in said
    for part in ("refused encoder=some/model", "http://127.0.0.1:9", str(tmp_path), "go online"):
        assert part in said


FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": b"weights",
    "model-00001-of-00001.safetensors": b"shard",
    "model.safetensors.index.json": b"{}",
    "vocab.txt": b"[PAD]",
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b"{}",
    "special_tokens_map.json": b"{}",
}
UNWANTED = ("pytorch_model.bin", "tf_model.h5", "onnx/model.safetensors", "onnx/config.json")


OLD_FILES = {"config.json": FILES["config.json"], "vocab.txt": b"[PAD]", "pytorch_model.bin": b"x"}


class Hub(BaseHTTPRequestHandler):
    """A stand-in for the Hub: two models that can be downloaded, a gated one and an absent one."""

    def do_GET(self):
        self.answer(body=True)

    def do_HEAD(self):
        self.answer(body=False)

    def answer(self, body):
        path = self.path.split("?")[0]
        old = "old/model" in path
        model = "old/model" if old else "some/model"
        names = (*OLD_FILES, "tf_model.h5") if old else (*FILES, *UNWANTED)
        listing = [
            {"type": "file", "path": n, "size": 9, "oid": f"{i:040x}"} for i, n in enumerate(names)
        ]
        if path.startswith(f"/api/models/{model}/tree/"):
            self.send(listing)
        elif path.startswith(f"/api/models/{model}"):
            self.send({"id": model, "sha": SHA, "siblings": [{"rfilename": n} for n in names]})
        elif path.startswith(f"/{model}/resolve/"):
            self.send((OLD_FILES if old else FILES)[path.split("/", 5)[5]], body=body)
        else:
            code = "GatedRepo" if "gated" in path else "RepoNotFound"
            self.send({}, status=403 if "gated" in path else 404, headers={"X-Error-Code": code})

    def send(self, content, status=200, headers=(), body=True):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hash(content):x}"')
        self.send_header("X-Repo-Commit", SHA)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path)}
    server.shutdown()
    server.server_close()


def test_hub_gives_the_files_of_its_top_level_and_no_pickles(hub, tmp_path):
    folder = resolve_in_fresh_process("some/model", **hub)
    found = {
        path.relative_to(folder).as_posix() for path in tmp_path.glob(f"hub/*/snapshots/{SHA}/*")
    }
    assert found == set(FILES)
    assert huggingface.read_config(folder) == {"model_type": "bert"}


def test_hub_gives_a_pickle_if_there_is_nothing_better_and_no_other_format(hub, tmp_path):
    folder = resolve_in_fresh_process("old/model", **hub)
    found = {path.name for path in tmp_path.glob(f"hub/*/snapshots/{SHA}/*")}
    assert found == set(OLD_FILES)
    assert_refused(lambda: huggingface.read_tensors(folder), "pytorch_model.bin", "torch.save")


@pytest.mark.parametrize(
    ("name", "said"), [("absent/x", "no such model"), ("gated/x", "hf auth login")]
)
def test_hub_that_refuses_is_told_in_one_line(hub, name, said):
    message = resolve_in_fresh_process(name, **hub)
    assert message.startswith(f"refused encoder={name}")
    assert said in message
    assert "\n" not in message
