import pathlib

import pytest

from ftkeras.errors import UserError
from ftkeras.problems.classification import Classification
from ftkeras.problems.multi_label import MultiLabel
from ftkeras.runs import exported, layout, signatures
from ftkeras.runs import problem as recorded_problem
from ftkeras.support import files

CLASSES = {"kind": Classification.kind}


def _field(number: int, content: bytes) -> bytes:
    """Return a field of a protocol buffer that has a length below 128."""
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def _entry(key: bytes, value: bytes) -> bytes:
    return _field(1, key) + _field(2, value)


def _write(version: pathlib.Path, labels: list[str], inputs: list[str]) -> None:
    tensors = b"".join(
        _field(1, _entry(name.encode(), _field(1, b"in_" + name.encode() + b":0")))
        for name in inputs
    )
    outputs = _field(2, _entry(b"label", _field(1, b"Call:1")))
    # A number, eight bytes and four bytes, which are skipped.
    others = b"\x08\x96\x01" + b"\x39" + bytes(8) + b"\x3d" + bytes(4)
    graph = others + _field(5, _entry(b"serving_default", tensors + outputs))
    (version / "assets").mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"\x08\x01" + _field(2, graph))
    (version / exported.LABELS).write_text("\n".join(labels) + "\n")


def test_weights_are_those_of_a_run_or_of_the_newest_version(tmp_path):
    for number in ("9", "10"):
        _write(tmp_path / "m" / number, ["a", "b"], ["text"])
        (tmp_path / "m" / number / "variables").mkdir()
        (tmp_path / "m" / number / "variables" / "variables.data-00000-of-00001").touch()
    newest = tmp_path / "m" / "10" / "variables" / "variables.data-00000-of-00001"
    assert exported.weights(tmp_path / "m") == exported.weights(tmp_path / "m" / "10") == newest
    assert exported.weights(tmp_path) is None
    (tmp_path / "weights.safetensors").touch()
    assert exported.weights(tmp_path) == tmp_path / "weights.safetensors"


def test_signatures_are_read_without_tensorflow(tmp_path):
    _write(tmp_path / "1", ["a", "b"], ["text", "pair"])
    assert signatures.read_signatures(tmp_path / "1") == {
        "serving_default": signatures.Signature(
            {"text": "in_text:0", "pair": "in_pair:0"}, {"label": "Call:1"}
        )
    }


def test_any_label_takes_one_line_and_is_read_as_it_was(tmp_path):
    labels = ("a\nb", "a\\nb", "\\", "c\r\n", "plain", " d ")
    (tmp_path / "assets").mkdir()
    exported.write_labels(tmp_path / exported.LABELS, labels)
    assert len((tmp_path / exported.LABELS).read_text().split("\n")) == len(labels) + 1
    assert exported.read_labels(tmp_path) == labels


def test_damaged_file_is_refused(tmp_path):
    _write(tmp_path / "1", ["a", "b"], ["text"])
    whole = (tmp_path / "1" / "saved_model.pb").read_bytes()
    for end in range(3, len(whole)):
        (tmp_path / "1" / "saved_model.pb").write_bytes(whole[:end])
        with pytest.raises(ValueError, match="cut off"):
            signatures.read_signatures(tmp_path / "1")


def test_first_version_may_have_any_interface(tmp_path):
    exported.require_same_interface(tmp_path / "none", ["a"], **CLASSES, pairs=False)


def test_new_version_must_have_the_newest_ones_interface(tmp_path):
    _write(tmp_path / "9", ["x", "y"], ["text"])
    _write(tmp_path / "10", ["a", "b"], ["text"])
    exported.require_same_interface(tmp_path, ["a", "b"], **CLASSES, pairs=False)
    for labels, pairs, message in (
        (["1", "2"], False, "10, has the labels 'a', 'b', but this run has '1', '2'; .*`force`"),
        (["b", "a"], False, "'b', 'a' in another order"),
        (["a", "b"], True, "takes single texts, but this run takes pairs of texts"),
        ([str(n) for n in range(77)], False, r"'4', … \(77 in all\)"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            exported.require_same_interface(tmp_path, labels, **CLASSES, pairs=pairs)
        assert "\n" not in str(caught.value)


def test_new_version_must_have_the_newest_ones_outputs(tmp_path):
    """The labels alone do not say what the outputs are."""
    one, several = Classification(labels=("a", "b")), MultiLabel(labels=("a", "b"))
    _write(tmp_path / "1", ["a", "b"], ["text"])
    kinds = "is a text classifier, but this run trains a multi-label text classifier.*`force`"
    with pytest.raises(UserError, match=kinds):
        exported.require_same_interface(tmp_path, several.names, kind=several.kind, pairs=False)
    _write(tmp_path / "2", ["a", "b"], ["text"])
    recorded_problem.write(tmp_path / "2", several)
    exported.require_same_interface(tmp_path, several.names, kind=several.kind, pairs=False)
    with pytest.raises(UserError, match="is a multi-label text classifier, but this run trains a"):
        exported.require_same_interface(tmp_path, one.names, kind=one.kind, pairs=False)


def test_foreign_model_is_refused(tmp_path):
    _write(tmp_path / "1", ["a", "b"], ["text"])
    (tmp_path / "1" / exported.LABELS).unlink()
    with pytest.raises(UserError, match=r"labels of .*1, the newest version, can't be read"):
        exported.require_same_interface(tmp_path, ["a", "b"], **CLASSES, pairs=False)


def _export(folder: pathlib.Path, *names: str) -> None:
    with exported.replacing(folder) as draft:
        for name in names:
            (draft / name).parent.mkdir(exist_ok=True)
            (draft / name).write_text("by an export")
        exported.record(draft, {})


def test_exporting_again_keeps_what_was_added_and_nothing_else(tmp_path):
    folder = tmp_path / "export"
    _export(folder, "model", "1_Pooling/config.json", "README.md")
    (folder / layout.SIGNATURE).write_text("of the first export")
    (folder / ".git" / "refs").mkdir(parents=True)
    for name in (".git/HEAD", "1_Pooling/mine", "LICENSE", "tokenizer"):
        (folder / name).write_text("by a user")
    (folder / "link").symlink_to("nowhere")
    for _ in range(2):  # what was kept is still no export's
        _export(folder, "model", "tokenizer")
    texts = {p.relative_to(folder).as_posix(): p.read_text() for p in files.within(folder)}
    assert texts.pop(layout.EXPORT_RECORD)
    assert texts == {
        **dict.fromkeys(("model", "tokenizer"), "by an export"),
        **dict.fromkeys((".git/HEAD", "1_Pooling/mine", "LICENSE"), "by a user"),
    }
    assert (folder / ".git" / "refs").is_dir()
    assert (folder / "link").readlink() == pathlib.Path("nowhere")
    _export(folder, "model")
    assert not (folder / "tokenizer").exists()


def test_folder_of_an_export_goes_with_its_files(tmp_path):
    _export(tmp_path / "export", "model", "1_Pooling/config.json")
    _export(tmp_path / "export", "model")
    assert not (tmp_path / "export" / "1_Pooling").exists()


def test_all_files_stay_if_the_export_has_not_recorded_its_own(tmp_path):
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "handler.py").touch()
    _export(tmp_path / "export", "model")
    assert (tmp_path / "export" / "handler.py").exists()
