"""Generated at run time, so its classes have no annotations of their own."""

from typing import Any

from google.protobuf.message import Message

class PredictRequest(Message):
    def __init__(self, **fields: Any) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
