"""Read TensorFlow Serving's batching settings: a text proto, parsed without its package.

Source: tensorflow/serving, servables/tensorflow/session_bundle_config.proto.
"""

import os
import pathlib
from dataclasses import dataclass

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message,
    message_factory,
    text_format,
    wrappers_pb2,
)

from ftkeras.errors import UserError

_FIELD = descriptor_pb2.FieldDescriptorProto
# Name, type, whether repeated. A wrapped number is written `name { value: 1 }`.
_FIELDS = [
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
# The defaults of TensorFlow Serving's SharedBatchScheduler.
_DEFAULTS = {"max_batch_size": 1000, "batch_timeout_micros": 0, "max_enqueued_batches": 10}


@dataclass(frozen=True, kw_only=True)
class Batching:
    """Settings for batching requests, named as in `BatchingParameters`.

    Args:
        max_batch_size: The most rows in a batch; at least 1.
        batch_timeout_micros: How long a request waits for others, in microseconds; at least 0.
        max_enqueued_batches: The most batches' worth of rows that may wait; at least 1. Further
            requests are refused.
        num_batch_threads: Batches that run at the same time; at least 1.
        allowed_batch_sizes: Sizes that a batch is padded to, ascending, the last equal to
            `max_batch_size`; empty for any size.
        enable_large_batch_splitting: Whether a request with more rows than a batch is split; if
            not, it is refused.

    Raises:
        ValueError: Naming the field, its bound and the value received.
    """

    max_batch_size: int = 32
    batch_timeout_micros: int = 1000
    max_enqueued_batches: int = 100
    num_batch_threads: int = os.cpu_count() or 1
    allowed_batch_sizes: tuple[int, ...] = ()
    enable_large_batch_splitting: bool = True

    def __post_init__(self):
        for name, value in (
            ("max_batch_size", self.max_batch_size),
            ("max_enqueued_batches", self.max_enqueued_batches),
            ("num_batch_threads", self.num_batch_threads),
        ):
            if value < 1:
                raise ValueError(f"{name} must be at least 1. Received: {value}.")
        if self.batch_timeout_micros < 0:
            raise ValueError(
                f"batch_timeout_micros must not be negative. Received: {self.batch_timeout_micros}."
            )
        sizes = self.allowed_batch_sizes
        if sizes and (list(sizes) != sorted(set(sizes)) or sizes[-1] != self.max_batch_size):
            raise ValueError(
                "allowed_batch_sizes must be ascending and end with max_batch_size, "
                f"{self.max_batch_size}. Received: {list(sizes)}."
            )


def read_batching(path: str) -> Batching:
    """Read a `batching.config`; omitted fields have TensorFlow Serving's defaults.

    Raises:
        UserError: Naming `batching`, if the file can't be read or has an invalid value.
    """
    parameters = _empty_parameters()
    try:
        text_format.Parse(pathlib.Path(path).read_text(encoding="utf-8"), parameters)
        return Batching(**{**_DEFAULTS, **_values(parameters)})
    except OSError as error:
        raise UserError(f"batching={path} can't be read: {error.strerror}.") from None
    except (text_format.ParseError, ValueError) as error:
        raise UserError(f"batching={path}: {' '.join(str(error).split())}") from None


def _values(parameters: message.Message) -> dict:
    """Return the fields that are set and that `Batching` has, without their wrappers."""
    values = {}
    for field, value in parameters.ListFields():
        if field.name == "allowed_batch_sizes":
            values[field.name] = tuple(value)
        elif field.name in Batching.__dataclass_fields__:
            values[field.name] = value.value if field.message_type else value
    return values


def _empty_parameters() -> message.Message:
    """Return an empty BatchingParameters message."""
    file = descriptor_pb2.FileDescriptorProto(
        name="ftkeras/serving/batching.proto",
        package="ftkeras",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto"],
    )
    parameters = file.message_type.add(name="BatchingParameters")
    for number, (name, kind, repeated) in enumerate(_FIELDS, start=1):
        field = parameters.field.add(name=name, number=number)
        field.label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
        if isinstance(kind, str):
            field.type, field.type_name = _FIELD.TYPE_MESSAGE, kind
        else:
            field.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    descriptor = pool.FindMessageTypeByName("ftkeras.BatchingParameters")
    return message_factory.GetMessageClass(descriptor)()
