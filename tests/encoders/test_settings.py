"""Wrong settings of encoders: in config.json, in arguments, and of its tokenizer."""

import json
import shutil

import numpy as np
import pytest

from ftkeras import catalog
from ftkeras.checkpoints import huggingface
from ftkeras.encoders import from_pretrained, require_padding
from ftkeras.encoders.bert import Bert
from ftkeras.errors import UserError
from tests.encoders.golden import FIXTURES

SIZES = {"vocabulary_size": 30, "layers": 2, "hidden": 8, "heads": 2, "positions": 12}


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("distilbert", "epsilon"),
        ("bert", "pooler_activation"),
        ("bert", "first_position"),
        ("roberta", "embedding"),
        ("mpnet", "segments"),
        ("xlm_roberta", "switches"),
    ],
)
def test_argument_without_a_field_in_config_json_is_refused(name, argument):
    """It would not be saved with the encoder, neither in `.keras` files nor in config.json."""
    family = catalog.find("encoder", name)
    with pytest.raises(ValueError, match=f"^`{argument}` can't be set for {family.__name__}:"):
        family(**SIZES, **{argument: 1})


class _Own(Bert):
    def __init__(self, *, embedding: str = "", **kwargs):
        super().__init__(**kwargs)
        self.of_own = embedding


def test_a_subclass_takes_the_arguments_of_its_family_and_its_own():
    encoder = _Own(**SIZES, segments=3, embedding="own")
    assert (encoder.segments, encoder.of_own) == (3, "own")
    assert _Own.from_config(encoder.get_config()).segments == 3
    with pytest.raises(ValueError, match="^`first_position` can't be set for _Own:"):
        _Own(**SIZES, first_position=1)


ODD = {
    "no heads": ("deberta_v2", {"num_attention_heads": 0}, "`num_attention_heads` must be"),
    "no width": ("deberta_v2", {"hidden_size": None}, "`hidden_size` must be an integer"),
    "numbers as kinds": ("deberta_v2", {"pos_att_type": [1]}, "`pos_att_type` must be"),
    "a number of kinds": ("deberta_v2", {"pos_att_type": -1}, "`pos_att_type` must be .*: -1"),
    "list of ropes": ("modernbert", {"rope_parameters": [1]}, "`rope_parameters` must be settings"),
    "one rope": ("modernbert", {"rope_parameters": {"rope_theta": 5.0}}, "`rope_parameters` must"),
    "other heads": (
        "distilbert",
        {"num_attention_heads": 3},
        "`n_heads` and `num_attention_heads`",
    ),
    "kinds of few layers": ("modernbert", {"layer_types": ["full_attention"]}, "entries"),
    "no kinds of layers": ("modernbert", {"layer_types": 5}, "`layer_types` must have"),
    "no positions": ("mpnet", {"max_position_embeddings": 2}, "must be .* 3. Received: 2"),
    "near end": ("deberta_v2", {"max_relative_positions": 3}, "`max_relative_positions` must be"),
    "far padding": ("roberta", {"pad_token_id": 600}, "`max_position_embeddings` must be .* 602"),
    "rate": ("electra", {"hidden_dropout_prob": 2.0}, "`hidden_dropout_prob` must be"),
    "epsilon": ("roberta", {"layer_norm_eps": -1.0}, "`layer_norm_eps` must be positive"),
    "number of classes": ("", {"model_type": None, "architectures": 5}, "has no model_type"),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_config_json_is_named_by_its_field(case, tmp_path):
    name, changes, message = ODD[case]
    config = huggingface.read_config(FIXTURES / name) if name else {}
    (tmp_path / "config.json").write_text(json.dumps({**config, **changes}))
    with pytest.raises(UserError, match=message) as error:
        from_pretrained(tmp_path)
    assert str(tmp_path) in str(error.value)


def test_positions_that_start_behind_a_token_of_every_text_are_refused(tmp_path):
    """As in an early copy of a published RoBERTa, whose config.json had the id of <s>.

    In transformers too, the first token is behind the padding token of config.json, even if the
    tokenizer pads with another one.
    """
    folder = shutil.copytree(FIXTURES / "roberta", tmp_path / "roberta")
    config, specials = huggingface.read_config(folder), (0, 2)
    require_padding(from_pretrained(folder), specials, "x")
    (folder / "config.json").write_text(json.dumps({**config, "pad_token_id": 0}))
    with pytest.raises(
        UserError, match="pad_token_id=0, but that token is in every text.* was trained with"
    ):
        require_padding(from_pretrained(folder), specials, "x")
    require_padding(from_pretrained(FIXTURES / "deberta_v2"), [0], "x")  # without such positions


@pytest.mark.parametrize("argument", [{"dropout": 1.5}, {"seed": -1}])
def test_wrong_argument_is_not_the_fault_of_config_json(argument):
    with pytest.raises(UserError, match=f"^`{next(iter(argument))}` must be"):
        from_pretrained(FIXTURES / "roberta", **argument)


@pytest.mark.parametrize(("name", "own"), [("distilbert", "n_heads"), ("gpt2", "n_head")])
def test_sizes_may_have_the_names_of_most_families(name, own):
    """As in transformers, whose configurations of these families read both."""
    config = huggingface.read_config(FIXTURES / name)
    family = catalog.find("encoder", name)
    expected = family.settings(config)
    assert family.settings({**config, "num_attention_heads": config.pop(own)}) == expected


def test_wrong_keyword_is_not_blamed_on_config_json():
    with pytest.raises(TypeError, match="unexpected keyword argument 'layers'"):
        from_pretrained(FIXTURES / "roberta", layers=1)
    with pytest.raises(ValueError, match="^Cannot convert 'nope'"):
        from_pretrained(FIXTURES / "roberta", dtype="nope")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("positions", "buckets"), [(5, 8), (4, 8), (129, 256)])
def test_buckets_for_more_tokens_than_there_are(positions, buckets):
    """Each distance then has a row of its own: the result is that without buckets."""
    sizes = {**SIZES, "positions": positions, "seed": 1}
    family = catalog.find("encoder", "deberta_v2")
    relative = family(**sizes, buckets=buckets).switches.relative
    distances = np.arange(-positions + 1, positions)
    assert (relative.row_of(distances) - relative.span == distances).all()


def test_empty_batch_has_empty_results():
    encoder = catalog.find("encoder", "gpt2")(**SIZES)
    ones = np.ones((0, 4), int)
    assert encoder(ones, ones)["pooled"].shape == (0, 8)
