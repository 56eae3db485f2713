"""Pickles written opcode by opcode, and the files of torch.save around them."""

import pickle
import struct
import zipfile

STOP, REDUCE, BUILD, MARK, NONE = b".", b"R", b"b", b"(", b"N"
EMPTY_DICT, EMPTY_TUPLE, TUPLE, SETITEM = b"}", b")", b"t", b"s"


def names(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def text(value):
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value):
    return pickle.dumps(value, 2)[2:-1]


def several(*parts):
    return MARK + b"".join(parts) + TUPLE


def numbers(*values):
    return several(*map(number, values))


FLOATS = names("torch", "FloatStorage")


def storage(count=6, key="0", kind=FLOATS, view=b""):
    return several(text("storage"), kind, text(key), text("cpu"), number(count), view) + b"Q"


def called(function, *arguments):
    return names(*function.rsplit(".", 1)) + several(*arguments) + REDUCE


def tensor(shape=(2, 3), strides=(3, 1), start=0, numbers_of=None):
    given = storage() if numbers_of is None else numbers_of
    shape = shape if isinstance(shape, bytes) else numbers(*shape)
    rest = (b"\x89", called("collections.OrderedDict"))
    arguments = (given, number(start), shape, numbers(*strides), *rest)
    return called("torch._utils._rebuild_tensor_v2", *arguments)


def state_dict(**values):
    items = b"".join(text(name) + value + SETITEM for name, value in values.items())
    return b"\x80\x02" + EMPTY_DICT + items + STOP


def write_zip(path, program, *, records=None, extra=(), compression=zipfile.ZIP_STORED, order=None):
    """Write a file as PyTorch 1.6 does; `order` adds the byteorder of version 2.1."""
    records = {"0": struct.pack("<6f", *range(6))} if records is None else records
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("model/data.pkl", program)
        for key, content in records.items():
            file.writestr(f"model/data/{key}", content)
        for name, content in extra:
            file.writestr(name, content)
        if order is not None:
            file.writestr("model/byteorder", order)
        file.writestr("model/version", "3\n")


def write_legacy(path, program, *, keys=("0",), counts=(6,), protocol=1001):
    """Write a file as PyTorch before 1.6 does."""
    system = {"protocol_version": protocol, "little_endian": True, "type_sizes": {"int": 4}}
    head = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, protocol, system))
    content = b"".join(struct.pack("<q6f", count, *range(6)) for count in counts)
    path.write_bytes(head + program + pickle.dumps(list(keys), 2) + content)
