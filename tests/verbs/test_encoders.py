"""The verb that lists encoders and measures which sizes fit."""

import numpy as np
import pytest

from ftkeras import catalog
from ftkeras.config.encoders import EncodersConfig
from ftkeras.encoders.bert import Bert
from ftkeras.experiment import encoder_sizes
from ftkeras.experiment.encoder_sizes import SIZES, Size, Speed
from ftkeras.experiment.published_encoders import published
from ftkeras.main import main
from ftkeras.verbs import encoders

TEXTS = "text,label\n" + "good,pos\nnot so good,neg\n" * 6


def test_families_are_listed(capsys):
    assert main(["encoders"]) == 0
    output = capsys.readouterr().out
    for name in catalog.names("encoder"):
        assert f"\n{name} " in output
    assert "ms" not in output.split()


@pytest.fixture
def measured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts.csv").write_text(TEXTS)
    asked = []

    def measure(size, *, length):
        asked.append(length)
        return Speed(size.layers, 1000 / size.layers)

    monkeypatch.setattr(encoder_sizes, "measure", measure)
    return asked


def test_sizes_within_the_budget_are_marked(measured, capsys):
    assert main(["encoders", "texts.csv", "--max_ms=6", "--max_mb=300"]) == 0
    output = capsys.readouterr().out
    assert "about 4 tokens in the median of 12 texts" in output
    output = output.partition("\npublished ")[0]
    rows = [line for line in output.splitlines() if " ms " in line or "such as" in line]
    assert [row.split()[0] for row in rows] == ["fits", *"****", "12", "*"]
    assert set(measured) == {4}
    large = next(line for line in output.splitlines() if "bert-large" in line)
    assert " -  " in large, "not measured, because it is too large"


def test_if_no_size_fits_a_line_says_so(measured, capsys):
    assert main(["encoders", "texts.csv", "--max_mb=1"]) == 0
    assert "none of these sizes is within max_ms and max_mb" in capsys.readouterr().out


def test_data_that_cannot_be_read_is_reported_alone(capsys):
    assert main(["encoders", "nothing.csv"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "there is no file 'nothing.csv'" in captured.err


def test_without_a_budget_every_size_fits(measured):
    config = EncodersConfig(data=("texts.csv",))
    speeds = encoders.run(config)
    assert set(speeds) == set(SIZES)


@pytest.mark.parametrize("flag", ["max_ms", "max_mb"])
def test_budget_must_be_positive(flag, capsys):
    assert main(["encoders", f"--{flag}=0"]) == 2
    assert f"--{flag} must be positive" in capsys.readouterr().err


def test_words_are_joined_and_pairs_have_one_more_special_token():
    assert encoders._string(np.array([b"New", b"York"])) == "New York"
    lengths = encoder_sizes.text_lengths([["one two"], ["one", "two"], ["x " * 99]], most=50)
    assert lengths.tolist() == [4, 5, 50]


def test_small_encoder_is_timed_and_its_parameters_are_counted():
    size = Size(1, 8, 2, "")
    speed = encoder_sizes.measure(size, length=7)
    assert speed.milliseconds > 0
    assert speed.texts_per_second > 0
    encoder = Bert(vocabulary_size=30522, layers=1, hidden=8, heads=2, initial="zeros")
    encoder(np.array([[1, 2]]))
    assert encoder.count_params() == size.parameters


def test_published_encoders_of_a_language_have_figures_and_sources(capsys):
    assert main(["encoders", "--language=en"]) == 0
    lines = capsys.readouterr().out.splitlines()
    bert = next(line for line in lines if line.startswith("google-bert/bert-base-uncased"))
    assert "MNLI 84.6, SST-2 93.5 (test) [" in bert
    assert "IMDb 93.5 (test) [" in bert
    assert any(line.startswith("[1] ") and "https://" in line for line in lines)
    assert not any("camembert-base" in line for line in lines)


def test_published_encoders_are_within_the_budget(measured, capsys):
    assert main(["encoders", "texts.csv", "--max_ms=6", "--max_mb=300", "--language=fr"]) == 0
    assert "none of the published encoders that are known here fits" in capsys.readouterr().out
    assert main(["encoders", "texts.csv", "--max_ms=13", "--max_mb=500", "--language=fr"]) == 0
    found = [line for line in capsys.readouterr().out.splitlines() if line.startswith("almanach")]
    assert " ".join(found[0].split()) == "almanach/camembert-base 111.0 M 444 MB 12.0 ms fr"


def test_language_is_a_code_of_two_letters(capsys):
    assert main(["encoders", "--language=French"]) == 2
    assert "--language must be a code of two letters, such as en" in capsys.readouterr().err


def test_every_published_figure_has_a_source():
    for encoder in published():
        assert encoder.millions > 0
        assert encoder.languages
        for figures, source in encoder.figures:
            assert figures.endswith(")"), "which split it is"
            assert "https://" in source
