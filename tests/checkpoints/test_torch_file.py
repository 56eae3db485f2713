"""Files of torch.save: read as PyTorch reads them, and refused in one line without being run."""

import contextlib
import os
import pathlib
import pickle
import shutil
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from ftkeras.checkpoints import huggingface
from ftkeras.checkpoints.formats import torch_pickle
from ftkeras.checkpoints.formats.torch_file import TorchFile
from ftkeras.encoders.bert import Bert
from ftkeras.errors import UserError
from tests.checkpoints import pickled
from tests.checkpoints.fixtures.torch.make_fixtures import IDS

FIXTURES = pathlib.Path(__file__).parent / "fixtures" / "torch"
SIX = np.arange(6, dtype="float32").reshape(2, 3)


def assert_equal(file, wanted):
    for name, shape in file.shapes.items():
        found = file.read(name)
        assert (shape, found.shape, found.dtype) == (found.shape, *_kind(wanted[name])), name
        np.testing.assert_array_equal(found, wanted[name], strict=True)
        assert found.flags.c_contiguous
        assert found.flags.aligned


def _kind(array):
    return array.shape, array.dtype


@pytest.mark.parametrize(
    ("name", "count"), [("zip", 23), ("zip_protocol_4", 23), ("legacy", 22), ("parameters", 2)]
)
def test_tensors_are_those_that_pytorch_reads(name, count):
    file = TorchFile(FIXTURES / f"{name}.bin")
    with np.load(FIXTURES / "tensors.npz") as wanted:
        assert len(file.shapes) == count
        assert_equal(file, wanted)


def test_file_without_the_records_of_later_versions_is_read(tmp_path):
    with zipfile.ZipFile(FIXTURES / "zip.bin") as file:
        kept = [name for name in file.namelist() if "data" in name and "." not in name[:5]]
        program = file.read("zip/data.pkl")
        records = {n.split("/")[2]: file.read(n) for n in kept if n.startswith("zip/data/")}
    pickled.write_zip(tmp_path / "old.bin", program, records=records)
    with np.load(FIXTURES / "tensors.npz") as wanted:
        assert_equal(TorchFile(tmp_path / "old.bin"), wanted)


@pytest.mark.parametrize("name", ["_rebuild_tensor", "_rebuild_tensor_v2"])
def test_either_rebuild_function_is_understood(tmp_path, name):
    start, shape, strides = pickled.number(1), pickled.numbers(2, 2), pickled.numbers(1, 2)
    rest = (b"\x89", pickled.called("collections.OrderedDict"))[: 2 * name.endswith("v2")]
    view = (pickled.storage(), start, shape, strides, *rest)
    program = pickled.state_dict(x=pickled.called(f"torch._utils.{name}", *view))
    pickled.write_zip(tmp_path / "x.bin", program)
    np.testing.assert_array_equal(TorchFile(tmp_path / "x.bin").read("x"), [[1, 3], [2, 4]])


def test_strings_and_ordered_dictionaries_of_python_2_are_understood(tmp_path):
    def short(value):
        return b"U" + bytes([len(value)]) + value

    reference = pickled.several(
        short(b"storage"), pickled.FLOATS, short(b"0"), short(b"cpu"), b"\x8a\x01\x06", b"N"
    )
    hooks = pickled.called("collections.OrderedDict", b"]")
    view = (reference + b"Q", b"K\0", pickled.numbers(2, 3), pickled.numbers(3, 1), b"\x89", hooks)
    tensor = pickled.called("torch._utils._rebuild_tensor_v2", *view)
    items = b"](](" + short(b"x") + tensor + b"ee"
    metadata = b"}" + short(b"_metadata") + hooks + b"sb"
    program = b"\x80\x02" + pickled.called("collections.OrderedDict", items) + metadata + b"."
    pickled.write_legacy(tmp_path / "x.bin", program)
    np.testing.assert_array_equal(TorchFile(tmp_path / "x.bin").read("x"), SIX)


@pytest.mark.parametrize(("order", "code"), [(b"big", ">"), (b"little", "<"), (None, "<")])
def test_byte_order_is_the_recorded_one(tmp_path, order, code):
    records = {"0": SIX.astype(f"{code}f4").tobytes()}
    program = pickled.state_dict(x=pickled.tensor())
    pickled.write_zip(tmp_path / "x.bin", program, records=records, order=order)
    found = TorchFile(tmp_path / "x.bin").read("x")
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, SIX)


def test_big_endian_bfloat16_is_widened(tmp_path):
    kind = pickled.names("torch", "BFloat16Storage")
    program = pickled.state_dict(x=pickled.tensor((2,), (1,), 0, pickled.storage(2, kind=kind)))
    records = {"0": struct.pack(">2H", 0x3F80, 0xC000)}
    pickled.write_zip(tmp_path / "x.bin", program, records=records, order=b"big")
    np.testing.assert_array_equal(TorchFile(tmp_path / "x.bin").read("x"), [1.0, -2.0])


def test_classifier_in_shards_computes_what_pytorch_does():
    config, tensors = huggingface.read_config(FIXTURES / "bert"), None
    tensors = huggingface.read_tensors(FIXTURES / "bert")
    encoder = Bert(**Bert.settings(config), initial="zeros")
    assert encoder.load(tensors) == []
    ids = np.array(IDS)
    pooled = np.asarray(encoder(ids, padding_mask=ids > 0)["pooled"])
    logits = pooled @ tensors["classifier.weight"].T + tensors["classifier.bias"]
    np.testing.assert_allclose(logits, np.load(FIXTURES / "bert" / "logits.npy"), atol=1e-5)


def test_safetensors_are_preferred_and_a_line_says_so(tmp_path):
    huggingface.write(tmp_path, config={}, tensors={"x": SIX})
    assert huggingface.describe_choice(tmp_path) == ""
    (tmp_path / "pytorch_model.bin").write_bytes(b"never opened")
    np.testing.assert_array_equal(huggingface.read_tensors(tmp_path)["x"], SIX)
    said = huggingface.describe_choice(tmp_path)
    assert said == "weights  model.safetensors; not read: pytorch_model.bin"


def test_only_the_tensors_that_are_read_take_memory(tmp_path):
    count = 1 << 20
    program = pickled.state_dict(
        a=pickled.tensor((count,), (1,), 0, pickled.storage(count)),
        b=pickled.tensor((count // 2,), (2,), 0, pickled.storage(count)),
    )
    pickled.write_zip(tmp_path / "x.bin", program, records={"0": bytes(4 * count)})
    tracemalloc.start()
    file = TorchFile(tmp_path / "x.bin")
    file.read("a")
    assert tracemalloc.get_traced_memory()[1] < 1 << 20, "mapped"
    file.read("b")
    assert 2 * count <= tracemalloc.get_traced_memory()[1] < 3 * count, "copied once"
    tracemalloc.stop()


class Runs:
    """An object whose unpickling would run a command."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


WRITERS = (pathlib.Path.write_bytes, pickled.write_zip, pickled.write_legacy)
COMMAND = "touch executed"
SYSTEM = pickled.called("os.system", pickled.text(COMMAND))
STACKED = b"\x8c\x02os\x8c\x06system\x93"
ORDERED = pickled.names("collections", "OrderedDict")
# Programs, and what the line about each must say.
PROGRAMS = {
    "reduce": (pickled.state_dict(x=SYSTEM), "needs os.system"),
    "eval": (pickled.state_dict(x=pickled.called("builtins.eval", pickled.text("1"))), "eval"),
    "getattr": (pickled.state_dict(x=pickled.called("builtins.getattr", b"N")), "getattr"),
    "in the arguments": (
        pickled.state_dict(x=pickled.called("collections.OrderedDict", SYSTEM)),
        "os.system",
    ),
    "in a tensor": (pickled.state_dict(x=pickled.tensor(numbers_of=SYSTEM)), "os.system"),
    "in a storage": (pickled.state_dict(x=pickled.tensor(numbers_of=pickled.storage(kind=SYSTEM))),
                     "os.system"),
    "in a list in a dictionary": (b"\x80\x02}X\x01\0\0\0x](" + SYSTEM + b"es.", "os.system"),
    "dropped again": (b"\x80\x02" + SYSTEM + b"0}.", "os.system"),
    "stack_global": (b"\x80\x04" + STACKED + b"\x8c\x04true\x85R.", "os.system"),
    "stack_global from the memo": (
        b"\x80\x04\x8c\x06system\x94\x8c\x02os\x94h\x01h\x00\x93.",
        "os.system",
    ),
    "stack_global with dots": (b"\x80\x04\x8c\x05torch\x8c\x10serialization.os\x93.",
                               "torch.serialization.os"),
    "stack_global of no strings": (b"\x80\x04K\x01]\x93.", "by a number and a list"),
    "stack_global of a bare dot": (b"\x80\x04\x8c\x00\x8c\x00\x93.", "needs ."),
    "inst": (b"(S'true'\nios\nsystem\n.", "opcode STRING"),
    "inst alone": (b"(ios\nsystem\n.", "opcode INST"),
    "obj": (b"\x80\x02(" + ORDERED + b"o.", "opcode OBJ"),
    "newobj": (b"\x80\x02" + ORDERED + b")\x81.", "opcode NEWOBJ"),
    "newobj_ex": (b"\x80\x04" + ORDERED + b")}\x92.", "opcode NEWOBJ_EX"),
    "extension": (b"\x80\x02\x82\x01.", "opcode EXT1"),
    "persid": (b"Pstorage\n.", "opcode PERSID"),
    "buffer": (b"\x80\x05\x97.", "opcode NEXT_BUFFER"),
    "set of a list": (b"\x80\x04\x8f.", "opcode EMPTY_SET"),
    "state": (b"\x80\x02}}X\x09\0\0\0__class__Nsb.", "sets the state of a dictionary (__class__)"),
    "state of a function": (b"\x80\x02" + ORDERED + b"}b.", "the state of collections.OrderedDict"),
    "slots": (b"\x80\x02}N}X\x01\0\0\0xNs\x86b.", "sets the state of a dictionary (a tuple)"),
    "call of a storage": (b"\x80\x02" + pickled.called("torch.FloatStorage") + b".",
                          "calls torch.FloatStorage"),
    "call of a tensor": (b"\x80\x02" + pickled.tensor() + b")R.", "calls a tensor"),
    "call with too few": (
        b"\x80\x02" + pickled.called("torch._utils._rebuild_tensor") + b".",
        "other arguments",
    ),
    "items without names": (
        b"\x80\x02" + pickled.called("collections.OrderedDict", b"]K\x01a") + b".",
        "a dictionary of a list that has no names",
    ),
    "items of a string": (
        b"\x80\x02" + pickled.called("collections.OrderedDict", pickled.text("ab")) + b".",
        "a dictionary of a string that",
    ),
    "call with a list": (b"\x80\x02" + ORDERED + b"]R.", "other arguments"),
    "script": (b"\x80\x02" + pickled.names("__torch__.model", "Bert") + b".", "__torch__.model"),
    "array": (pickle.dumps({"x": np.zeros(2)}, 2), "numpy"),
    "terminal codes": (b"\x80\x02c\x1b[2Jos\r\nsystem\r\n.", r"\x1b[2Jos"),
    "long name": (b"\x80\x02c" + b"a" * 100_000 + b"\nb\n.", "aaa…"),
    "nested": (pickled.state_dict(model=b"}"), "entry model is not a tensor"),
    "number": (pickled.state_dict(epoch=b"K\x07"), "entry epoch is not a tensor"),
    "list": (b"\x80\x02].", "a list in its place"),
    "key": (b"\x80\x02}K\x01Ns.", "a number as a key"),
    "deep key": (b"\x80\x02})" + b"\x85" * 50_000 + b"Ns.", "a tuple as a key"),
    "recursive": (b"\x80\x02}q\x00X\x01\0\0\0xh\x00s.", "entry x is not a tensor"),
    "memo": (b"\x80\x02]r\xff\xff\xff\xff.", "a list in its place"),
    "laughs": (b"\x80\x02]" + b"q\x00](" + b"h\x00" * 9 + b"e" + b"q\x00]h\x00a" * 60 + b".",
               "a list in its place"),
    "shape": (pickled.state_dict(x=pickled.tensor((2**40, 2**40), (0, 0))), "does not lie within"),
    "overflowing shape": (pickled.state_dict(x=pickled.tensor((2**62, 4), (4, 1))), "lie within"),
    "shape beyond 63 bits": (pickled.state_dict(x=pickled.tensor((2**64,), (0,))), "from 0 on"),
    "repeated numbers": (pickled.state_dict(x=pickled.tensor((7,), (0,))), "does not lie within"),
    "start": (pickled.state_dict(x=pickled.tensor(start=1)), "does not lie within its storage"),
    "negative start": (pickled.state_dict(x=pickled.tensor(start=-1)), "from 0 on"),
    "negative strides": (pickled.state_dict(x=pickled.tensor(strides=(-3, 1))), "from 0 on"),
    "negative shape": (pickled.state_dict(x=pickled.tensor((-1, -6))), "from 0 on"),
    "shape of a string": (pickled.state_dict(x=pickled.tensor(pickled.text("23"))), "from 0 on"),
    "shape of booleans": (pickled.state_dict(x=pickled.tensor((True, True))), "from 0 on"),
    "dimensions": (pickled.state_dict(x=pickled.tensor((1,) * 33, (1,) * 33)), "33 dimensions"),
    "strides": (pickled.state_dict(x=pickled.tensor((6,), (1, 1))), "1 dimensions and 2 strides"),
    "storage": (pickled.state_dict(x=pickled.tensor(numbers_of=b"N")), "numbers are None"),
    "negative storage": (
        pickled.state_dict(x=pickled.tensor(numbers_of=pickled.storage(-6))),
        "storage 0 of -6",
    ),
    "storage beyond all sizes": (
        pickled.state_dict(x=pickled.tensor(numbers_of=pickled.storage(2**2000))),
        "its storage 0 claims 4",
    ),
    "path": (
        pickled.state_dict(x=pickled.tensor(numbers_of=pickled.storage(key="../version"))),
        "storage ../version",
    ),
    "digits of another script": (
        pickled.state_dict(x=pickled.tensor(numbers_of=pickled.storage(key="٠"))),
        "storage",
    ),
    "view of a storage": (
        pickled.state_dict(x=pickled.tensor(numbers_of=pickled.storage(view=pickled.numbers(1)))),
        "a tuple where a storage",
    ),
}  # fmt: skip
# These are not the work of torch.save at all.
MALFORMED = {
    "empty": b"",
    "no stop": b"\x80\x02}",
    "empty stack": b"\x80\x02.",
    "below a mark": b"\x80\x02}(0.",
    "no mark": b"\x80\x02}u.",
    "unknown opcode": b"\x80\x02\xff.",
    "huge string": b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f.",
    "huge bytes": b"\x80\x04\x8e" + b"\xff" * 8 + b".",
    "huge number": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "negative number": b"\x80\x02\x8b\xff\xff\xff\xff.",
    "decimal number": b"L" + b"9" * 100_000 + b"L\n.",
    "memo without entry": b"\x80\x02h\x07.",
    "half a name": b"\x80\x02cos",
    "bytes that are no text": b"\x80\x02X\x01\0\0\0\xff.",
}


def assert_refused(path, *parts):
    start = time.process_time()
    with pytest.raises(UserError) as error:
        TorchFile(path)
    message = str(error.value)
    assert message.startswith(f"`encoder`: {path} ")
    assert message.isprintable()
    assert len(message) < len(str(path)) + 300
    for part in parts:
        assert part in message
    assert time.process_time() - start < 10
    assert not os.path.exists("executed")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", PROGRAMS)
def test_hostile_pickle_is_refused_in_one_line(tmp_path, name):
    program, said = PROGRAMS[name]
    pickled.write_zip(tmp_path / "x.bin", program)
    assert_refused(tmp_path / "x.bin", "not a plain state dict", said, "safetensors")


@pytest.mark.parametrize("name", PROGRAMS)
def test_legacy_file_is_refused_alike(tmp_path, name):
    program, said = PROGRAMS[name]
    if name not in ("view of a storage", "storage beyond all sizes"):
        pickled.write_legacy(tmp_path / "x.bin", program)
        assert_refused(tmp_path / "x.bin", said)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "write", [pathlib.Path.write_bytes, pickled.write_zip, pickled.write_legacy]
)
def test_python_s_own_pickles_of_a_command_are_refused(tmp_path, protocol, write):
    program = pickle.dumps({"weight": Runs(COMMAND)}, protocol)
    write(tmp_path / "x.bin", program)
    assert_refused(tmp_path / "x.bin", "opcode DICT" if not protocol else "system")
    if write is pathlib.Path.write_bytes:
        pickle.loads(program)
        assert os.path.exists("executed"), "it would have been run"


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_pickle_is_refused_in_one_line(tmp_path, name):
    for write in WRITERS:
        write(tmp_path / "x.bin", MALFORMED[name])
        assert_refused(tmp_path / "x.bin", "x.bin is ")


GOOD = pickled.state_dict(x=pickled.tensor())


def test_zip_bomb_is_refused(tmp_path):
    bomb = GOOD[:-1] + b"N" * 5_000_000
    pickled.write_zip(tmp_path / "x.bin", bomb, compression=zipfile.ZIP_DEFLATED)
    assert (tmp_path / "x.bin").stat().st_size < 100_000
    assert_refused(tmp_path / "x.bin", "model/data.pkl is compressed")


def test_pickle_of_many_opcodes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(torch_pickle, "MOST_OPCODES", 100)
    pickled.write_zip(tmp_path / "x.bin", b"N" * 100 + GOOD)
    assert_refused(tmp_path / "x.bin", "more than 100 opcodes")


def test_pickle_of_many_megabytes_is_refused(tmp_path):
    pickled.write_zip(tmp_path / "x.bin", bytes((16 << 20) + 1))
    assert_refused(tmp_path / "x.bin", "more than 16 MiB")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model/data.pkl", "two entries named model/data.pkl"),
        ("other/data.pkl", "2 entries named data.pkl"),
        ("model/data/0", "two entries named model/data/0"),
    ],
)
def test_zip_that_can_be_read_in_two_ways_is_refused(tmp_path, name, said):
    pickled.write_zip(tmp_path / "x.bin", GOOD, extra=[(name, GOOD)])
    assert_refused(tmp_path / "x.bin", said)


def test_zip_without_a_pickle_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.bin", "w") as file:
        file.writestr("../../data.pkl", GOOD)
    assert_refused(tmp_path / "x.bin", "0 entries named data.pkl")


def test_unknown_byte_order_is_refused(tmp_path):
    pickled.write_zip(tmp_path / "x.bin", GOOD, order=b"middle")
    assert_refused(tmp_path / "x.bin", "byteorder")


@pytest.mark.parametrize(
    ("records", "said"),
    [({}, "a storage 0 that it lacks"), ({"0": bytes(23)}, "claims 24 bytes but has fewer")],
)
def test_storage_that_is_not_there_is_refused(tmp_path, records, said):
    pickled.write_zip(tmp_path / "x.bin", GOOD, records=records)
    assert_refused(tmp_path / "x.bin", said)


def test_entry_outside_the_file_is_refused(tmp_path):
    pickled.write_zip(tmp_path / "x.bin", GOOD)
    content = bytearray((tmp_path / "x.bin").read_bytes())
    directory = content.index(b"PK\x01\x02")
    for position, value in ((20, 1 << 30), (24, 1 << 30)):
        content[directory + position : directory + position + 4] = struct.pack("<I", value)
    (tmp_path / "x.bin").write_bytes(content)
    assert_refused(tmp_path / "x.bin", "does not lie within the file")


@pytest.mark.parametrize("name", ["zip.bin", "legacy.bin"])
def test_file_cut_off_anywhere_is_refused(tmp_path, name):
    content = (FIXTURES / name).read_bytes()
    for length in range(0, len(content), 97):
        (tmp_path / "x.bin").write_bytes(content[:length])
        assert_refused(tmp_path / "x.bin", "is damaged or not a file of torch.save")


@pytest.mark.parametrize("name", ["zip.bin", "legacy.bin"])
def test_file_with_changed_bytes_is_read_or_refused_in_one_line(tmp_path, name):
    content, random = (FIXTURES / name).read_bytes(), np.random.default_rng(0)
    refused = []
    for _ in range(60):
        changed = bytearray(content)
        for place in random.integers(0, len(content), 3):
            changed[place] = random.integers(256)
        (tmp_path / "x.bin").write_bytes(changed)
        with contextlib.suppress(UserError):
            refused.append(True)
            file = TorchFile(tmp_path / "x.bin")
            for tensor, shape in file.shapes.items():
                assert file.read(tensor).shape == shape
            refused[-1] = False
    assert any(refused)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"keys": ("1",)}, "a storage 1 that no tensor uses"),
        ({"keys": ("0", "0"), "counts": (6, 6)}, "a storage 0 that no tensor uses"),
        ({"keys": (0,)}, "no list of storages"),
        ({"counts": (7,)}, "storage 0 is shorter"),
        ({"counts": (-1,)}, "storage 0 is shorter"),
        ({"keys": (), "counts": ()}, "a storage 0 that it lacks"),
        ({"protocol": 1000}, "not a file of torch.save"),
    ],
)
def test_legacy_file_with_other_storages_is_refused(tmp_path, changes, said):
    pickled.write_legacy(tmp_path / "x.bin", GOOD, **changes)
    assert_refused(tmp_path / "x.bin", said)


def test_file_that_is_gone_when_a_tensor_is_read_gives_one_line(tmp_path):
    shutil.copy(FIXTURES / "zip.bin", tmp_path / "x.bin")
    file = TorchFile(tmp_path / "x.bin")
    (tmp_path / "x.bin").unlink()
    with pytest.raises(UserError, match="x.bin is damaged or not a file of torch.save"):
        file.read("slice")
