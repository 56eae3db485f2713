"""TensorFlow Serving's settings files: text protos, read without its package.

Source: tensorflow/serving, servables/tensorflow/session_bundle_config.proto.
"""

import os
import pathlib
from dataclasses import dataclass

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

from ftkeras.errors import UserError

_FIELD = descriptor_pb2.FieldDescriptorProto
# Name, type, whether repeated. A wrapped number is written `name { value: 1 }`.
_BATCHING = [
    ("max_batch_size", ".google.protobuf.Int64Value", False),
    ("batch_timeout_micros", ".google.protobuf.Int64Value", False),
    ("max_enqueued_batches", ".google.protobuf.Int64Value", False),
    ("num_batch_threads", ".google.protobuf.Int64Value", False),
    ("thread_pool_name", ".google.protobuf.StringValue", False),
    ("allowed_batch_sizes", _FIELD.TYPE_INT64, True),
    ("pad_variable_length_inputs", _FIELD.TYPE_BOOL, False),
    ("enable_large_batch_splitting", ".google.protobuf.BoolValue", False),
    ("max_execution_batch_size", ".google.protobuf.Int64Value", False),
]


@dataclass(frozen=True, kw_only=True)
class Batching:
    """How requests come together; the names and meanings are those of `BatchingParameters`.

    Args:
        max_batch_size: rows of a batch at most.
        batch_timeout_micros: how long a request waits for others, in microseconds.
        max_enqueued_batches: batches' worth of rows that wait at most; more are refused.
        num_batch_threads: batches that run at once.
        allowed_batch_sizes: sizes that a batch is filled up to, rising to `max_batch_size`; none
            for any size.
        enable_large_batch_splitting: whether a request of more rows than a batch is taken apart,
            or refused.
    """

    max_batch_size: int = 32
    batch_timeout_micros: int = 1000
    max_enqueued_batches: int = 100
    num_batch_threads: int = os.cpu_count() or 1
    allowed_batch_sizes: tuple[int, ...] = ()
    enable_large_batch_splitting: bool = True

    def __post_init__(self):
        for name in ("max_batch_size", "max_enqueued_batches", "num_batch_threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1. Received: {getattr(self, name)}.")
        if self.batch_timeout_micros < 0:
            raise ValueError(
                f"batch_timeout_micros must not be negative. Received: {self.batch_timeout_micros}."
            )
        sizes = self.allowed_batch_sizes
        if sizes and (list(sizes) != sorted(set(sizes)) or sizes[-1] != self.max_batch_size):
            raise ValueError(
                "allowed_batch_sizes must rise and end with max_batch_size, "
                f"{self.max_batch_size}. Received: {list(sizes)}."
            )


def read_batching(path: str) -> Batching:
    """A `batching.config`. What it leaves out is as TensorFlow Serving has it.

    Raises:
        UserError: naming `--batching`, where the file can't be read or says what can't be.
    """
    message = _message()
    try:
        text_format.Parse(pathlib.Path(path).read_text(encoding="utf-8"), message)
        given = {
            field.name: getattr(value, "value", value)
            for field, value in message.ListFields()
            if field.name in Batching.__dataclass_fields__
        }
        if "allowed_batch_sizes" in given:
            given["allowed_batch_sizes"] = tuple(given["allowed_batch_sizes"])
        return Batching(**{**_LEFT_OUT, **given})
    except OSError as error:
        raise UserError(f"batching={path} can't be read: {error.strerror}.") from None
    except (text_format.ParseError, ValueError) as error:
        raise UserError(f"batching={path}: {' '.join(str(error).split())}") from None


# SharedBatchScheduler's own defaults.
_LEFT_OUT = {"max_batch_size": 1000, "batch_timeout_micros": 0, "max_enqueued_batches": 10}


def _message():
    """An empty BatchingParameters."""
    file = descriptor_pb2.FileDescriptorProto(
        name="ftkeras/data/batching.proto",
        package="ftkeras",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto"],
    )
    parameters = file.message_type.add(name="BatchingParameters")
    for number, (name, kind, repeated) in enumerate(_BATCHING, start=1):
        field = parameters.field.add(name=name, number=number)
        field.label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
        if isinstance(kind, str):
            field.type, field.type_name = _FIELD.TYPE_MESSAGE, kind
        else:
            field.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("ftkeras.BatchingParameters")
    )()
