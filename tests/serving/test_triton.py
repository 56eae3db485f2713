"""The model repository that `deploy` writes for Triton, parsed as Triton parses it."""

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from ftkeras.config.serving import DeployConfig
from ftkeras.errors import UserError
from ftkeras.exporters import _onnx_graph
from ftkeras.support import files
from ftkeras.verbs import deploy
from tests.exporters import small

onnx = pytest.importorskip("onnx", reason="needs pip install 'ftkeras[onnx]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs pip install 'ftkeras[onnx]'")


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """Return a folder with what `--export=onnx` writes and a server reads."""
    folder = tmp_path_factory.mktemp("run") / "onnx"
    folder.mkdir()
    graph = _onnx_graph.Graph(onnx)
    model = _onnx_graph.build(graph, small.model(), small.PROBLEM, segments=True)
    onnx.save_model(model, folder / "model.onnx")
    (folder / "labels.txt").write_text("\n".join(small.LABELS) + "\n")
    files.write_json(folder / "export.json", {})
    return folder


def _message():
    """Return an empty ModelConfig with the fields that we use, numbered as in model_config.proto.

    Source: https://github.com/triton-inference-server/common/blob/main/protobuf/model_config.proto.
    The Python package that has the message needs an older protobuf than TensorFlow's newest.
    """
    field = descriptor_pb2.FieldDescriptorProto
    one, many, text = field.LABEL_OPTIONAL, field.LABEL_REPEATED, field.TYPE_STRING
    file = descriptor_pb2.FileDescriptorProto(name="triton.proto", package="t", syntax="proto3")
    types = file.enum_type.add(name="DataType")
    for name, number in (("TYPE_INVALID", 0), ("TYPE_INT32", 8), ("TYPE_FP32", 11)):
        types.value.add(name=name, number=number)

    def message(name, *fields):
        found = file.message_type.add(name=name)
        for key, number, kind, label, type_name in fields:
            found.field.add(name=key, number=number, type=kind, label=label, type_name=type_name)

    kind = ("data_type", 2, field.TYPE_ENUM, one, ".t.DataType")
    name = ("name", 1, text, one, None)
    message("Input", name, kind, ("dims", 4, field.TYPE_INT64, many, None))
    labels = ("label_filename", 5, text, one, None)
    message("Output", name, kind, ("dims", 3, field.TYPE_INT64, many, None), labels)
    message("Batching", ("max_queue_delay_microseconds", 2, field.TYPE_UINT64, one, None))
    message(
        *("Config", name, ("backend", 17, text, one, None)),
        ("max_batch_size", 4, field.TYPE_INT32, one, None),
        ("input", 5, field.TYPE_MESSAGE, many, ".t.Input"),
        ("output", 6, field.TYPE_MESSAGE, many, ".t.Output"),
        ("dynamic_batching", 11, field.TYPE_MESSAGE, one, ".t.Batching"),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Config"))()


def _deploy(export, tmp_path, **keys):
    settings = {"model": str(export), "name": "imdb", "output": str(tmp_path / "out"), **keys}
    return deploy.run(DeployConfig(**settings))


def test_configuration_has_the_models_name_and_tensors(export, tmp_path):
    _deploy(export, tmp_path, batch_size=20)
    folder = tmp_path / "out" / "models" / "imdb"
    config = text_format.Parse((folder / "config.pbtxt").read_text(), _message())
    assert (config.name, config.backend, config.max_batch_size) == ("imdb", "onnxruntime", 20)
    session = onnxruntime.InferenceSession(folder / "1" / "model.onnx")
    for listed, found in (
        (config.input, session.get_inputs()),
        (config.output, session.get_outputs()),
    ):
        assert [entry.name for entry in listed] == [tensor.name for tensor in found]
        numbers = {"tensor(int32)": 8, "tensor(float)": 11}
        assert [entry.data_type for entry in listed] == [numbers[t.type] for t in found]
        # Triton's shapes have no batch.
        assert [len(entry.dims) for entry in listed] == [len(t.shape) - 1 for t in found]
        assert {dim for entry in listed for dim in entry.dims} == {-1}
    assert {entry.label_filename for entry in config.output} == {"labels.txt"}
    assert (folder / "labels.txt").read_text().splitlines() == list(small.LABELS)
    ids = np.array([[2, 30, 7, 3]], np.int32)
    logits = session.run(["logits"], {"token_ids": ids, "segment_ids": 0 * ids})[0]
    np.testing.assert_allclose(logits, small.model()({"token_ids": ids}), atol=1e-4)


def test_each_call_adds_a_version(export, tmp_path, caplog):
    caplog.set_level("INFO")
    for number in (1, 2):
        assert _deploy(export, tmp_path).plan.versions == (number,)
        assert f"imdb is version {number}" in caplog.text
    folder = tmp_path / "out" / "models" / "imdb"
    assert {path.name for path in folder.iterdir()} == {"1", "2", "config.pbtxt", "labels.txt"}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"name": None}, "needs `name`"),
        ({"stable": 1}, "`stable` is for SavedModels"),
        ({"name": "a b"}, "`name` may have letters"),
    ],
)
def test_what_does_not_fit_is_refused(export, tmp_path, keys, message):
    with pytest.raises(UserError, match=message):
        _deploy(export, tmp_path, **keys)
    assert not (tmp_path / "out").exists()
