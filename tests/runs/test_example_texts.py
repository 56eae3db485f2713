"""Texts of predictions, found by their ids."""

from ftkeras.config.run import Config
from ftkeras.runs import example_texts


def test_texts_are_redacted_as_the_run_read_them(tmp_path):
    rows = "".join(f"Write to a{n}@b.org.,{'no' if n % 2 else 'yes'}\n" for n in range(20))
    (tmp_path / "x.csv").write_text(f"text,label\n{rows}")
    config = Config(data=(str(tmp_path / "x.csv"),), redact="pii")
    assert example_texts.read(config, ["train-3"]) == {"train-3": "Write to a3@b.org."}
    (found,) = example_texts.read(config, ["train-3"], redacted=True).values()
    assert found.startswith("Write to ")
    assert "@" not in found
