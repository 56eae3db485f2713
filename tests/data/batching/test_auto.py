import pytest
import tensorflow as tf

from ftkeras.config.run import Config
from ftkeras.data.batching.auto import Auto
from ftkeras.data.batching.bucketed import Bucketed
from ftkeras.data.batching.packed import Packed
from ftkeras.data.batching.padded import Padded
from ftkeras.errors import UserError
from ftkeras.experiment import checks, feeds

PERTURBING = ("fgm", "freelb", "smart", "embedding_noise", "layer_drop")


@pytest.fixture
def device(monkeypatch):
    """Return a function that makes TensorFlow list another kind of device besides the CPU."""

    def there_is(kind):
        monkeypatch.setattr(
            tf.config, "list_physical_devices", lambda asked: [asked] * (asked == kind)
        )

    return there_is


@pytest.mark.parametrize(
    ("kind", "expected"), [("CPU", Bucketed), ("GPU", Packed), ("TPU", Packed)]
)
def test_auto_chooses_by_the_device(device, kind, expected):
    device(kind)
    batching = feeds.batching(Config(batch_tokens=640, max_length=64), pad_id=7, parts=2)
    assert type(batching.batching) is expected
    assert batching.choice.startswith(expected.__name__.lower())
    assert (batching.parts, batching.fixed_shape) == (2, expected is Packed)
    chosen = batching.batching
    assert (chosen.batch_size, chosen.batch_tokens, chosen.pad_id) == (None, 640, 7)
    assert chosen.max_length == 64


@pytest.mark.parametrize("name", PERTURBING)
def test_parts_that_expect_one_text_per_row_are_never_packed(device, name):
    device("GPU")
    batching = feeds.batching(Config(regularizer=("r_drop", name)), pad_id=0)
    assert type(batching.batching) is Bucketed
    message = f"batching=packed: regularizer={name} expects one text per row"
    with pytest.raises(UserError, match=message):
        checks.check(Config(regularizer=("r_drop", name), batching="packed"))


def test_other_parts_may_be_packed():
    terms = ("r_drop", "mixout", "confidence_penalty", "l2")
    assert type(feeds.batching(Config(regularizer=terms, batching="packed"), pad_id=0)) is Packed


def test_batch_tokens_is_refused_if_it_is_not_supported():
    with pytest.raises(UserError, match="batching=padded: .*batch_tokens.*Received: 640"):
        checks.check(Config(batching="padded", batch_tokens=640))


def test_batch_tokens_replaces_the_default_batch_size():
    assert Config().batch_size == 16
    assert Config(batch_tokens=640).batch_size is None
    both = feeds.batching(Config(batching="packed", batch_size=3, batch_tokens=640), pad_id=0)
    assert (both.batch_size, both.batch_tokens) == (3, 640)
    assert type(feeds.batching(Config(batching="padded"), pad_id=0)) is Padded
    assert type(feeds.batching(Config(), pad_id=0)) is Auto
