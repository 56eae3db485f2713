"""Known vulnerabilities: ranges against packaging's specifiers, databases, and the warning."""

import json
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from ftkeras.dossiers import osv, vulnerabilities
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.software import Package
from ftkeras.errors import UserError

VERSIONS = st.sampled_from(
    ["0.9", "1.0a1", "1.0", "1.0.post1", "1.1", "1.2rc1", "1.2", "1.10", "2.0.dev3", "2.0", "3.1"]
)


def entry(name="numpy", ecosystem="PyPI", **changes):
    affected = {
        "package": {"ecosystem": ecosystem, "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}]}],
    }
    about = {"id": "GHSA-1", "aliases": ["CVE-1"], "summary": "Bad.", "modified": "2026-01-01"}
    return {**about, "affected": [affected], **changes}


def package(version, name="numpy"):
    return Package(name, version, "MIT", "MIT", ())


def of(*entries):
    return osv.Database([e for e in entries if list(osv._affected(e))], len(entries), "")


@settings(max_examples=300, deadline=None)
@given(VERSIONS, VERSIONS, VERSIONS)
def test_ranges_are_those_of_packaging(own, start, end):
    fixed = {"events": [{"fixed": end}, {"introduced": start}], "type": "ECOSYSTEM"}
    last = {"events": [{"introduced": start}, {"last_affected": end}], "type": "SEMVER"}
    for range_, operator in ((fixed, "<"), (last, "<=")):
        # `===`-free specifiers exclude other releases' post and pre versions, so compare keys.
        inside = SpecifierSet(f">={start}", prereleases=True).contains(own)
        below = not SpecifierSet(f">={end}", prereleases=True).contains(own)
        below |= operator == "<=" and SpecifierSet(f"=={end}", prereleases=True).contains(own)
        ordered = SpecifierSet(f"<={end}", prereleases=True).contains(start) and start != end
        if ordered:
            assert osv.is_affected(own, {"ranges": [range_]}) == (inside and below), operator


def test_several_ranges_and_named_versions():
    events = [{"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "2.0"}, {"fixed": "3.0"}]
    affected = {"ranges": [{"type": "ECOSYSTEM", "events": events}], "versions": ["1.5"]}
    inside = {v: osv.is_affected(v, affected) for v in ("0.1", "1.0", "1.5", "2.0", "2.9", "3.0")}
    assert inside == dict(zip(inside, [True, False, True, True, True, False], strict=True))
    assert not osv.is_affected("1", {"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]})
    assert not osv.is_affected("no version", {"ranges": affected["ranges"]})


def test_builds_and_spellings_of_a_version_are_that_version():
    last = [{"introduced": "0"}, {"last_affected": "2.1.0"}]
    affected = {"ranges": [{"type": "ECOSYSTEM", "events": last}], "versions": ["3.0.0"]}
    inside = {v: osv.is_affected(v, affected) for v in ("2.1.0+cpu", "2.1", "2.1.1+cpu", "3.0")}
    assert list(inside.values()) == [True, True, False, True]


def test_event_without_a_version_is_skipped_and_reported(tmp_path, monkeypatch):
    bad = [{"introduced": "0"}, {"fixed": "1.2"}, {"fixed": "a commit"}]
    package_ = {"ecosystem": "PyPI", "name": "numpy"}
    affected = [{"package": package_, "ranges": [{"type": "ECOSYSTEM", "events": bad}]}]
    path = tmp_path / "osv.json"
    path.write_text(json.dumps(entry(affected=affected)))
    monkeypatch.setattr("ftkeras.dossiers.software.installed", lambda: [package("1.1")])
    part = vulnerabilities.part(Run(str(path)))
    (found,) = part.data["found"]
    assert (found["id"], found["fixed"]) == ("GHSA-1", "1.2")
    assert vulnerabilities.warning(part)[1].endswith("GHSA-1 of numpy: fixed 'a commit'")


def test_unusual_entries_are_read_and_what_is_skipped_is_named():
    package_ = {"package": {"ecosystem": "PyPI", "name": "numpy"}}
    both = {"introduced": "0", "fixed": "1.2"}
    unusual = of(
        entry(id="A", affected=[{**package_, "ranges": [{"type": "ECOSYSTEM", "events": [both]}]}]),
        entry(id="B", affected=[{**package_, "ranges": [{"events": [{"introduced": "0"}]}]}]),
        entry(id="C", summary=None, details=None, aliases=None, severity=None),
        entry(id="D", affected=None),
    )
    found = osv.match(unusual, [package("1.1")])
    assert [(one.id, one.fixed, one.summary) for one in found] == [
        ("A", "1.2", "Bad."),
        ("C", "1.2", ""),
    ]
    assert osv.skipped(unusual, [package("1.1")]) == ["B of numpy: a range without a type"]


def test_installed_packages_are_matched_by_their_canonical_names():
    database = of(entry("Num_Py"), entry("other"), entry("num-py", "npm"))
    (found,) = osv.match(database, [package("1.1", "num-py"), package("9", "third")])
    assert (found.id, found.aliases, found.package) == ("GHSA-1", ("CVE-1",), "num-py")
    assert (found.version, found.fixed, found.summary) == ("1.1", "1.2", "Bad.")
    assert osv.match(database, [package("1.2", "num-py")]) == []


def test_databases_are_files_lists_answers_folders_and_zips(tmp_path):
    both = [entry(), entry(id="GHSA-2", withdrawn="2026-01-02", modified="2026-01-03")]
    (tmp_path / "one.json").write_text(json.dumps(both[0]))
    (tmp_path / "list.json").write_text(json.dumps(both))
    (tmp_path / "api.json").write_text(json.dumps({"vulns": both}))
    (tmp_path / "folder").mkdir()
    for n, one in enumerate(both):
        (tmp_path / "folder" / f"{n}.json").write_text(json.dumps(one))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a.json", json.dumps(both[0]))
        archive.writestr("b.json", json.dumps(both[1]))
    assert osv.read(str(tmp_path / "one.json")).read == 1
    for name in ("list.json", "api.json", "folder", "all.zip"):
        found = osv.read(str(tmp_path / name))
        assert (found.read, len(found.entries), found.newest) == (2, 1, "2026-01-03"), name


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "can't be read"), ("{", "not in the OSV format"), ("[]", "no entry"), ("[1]", "no id")],
)
def test_what_is_no_database_is_refused(tmp_path, content, message):
    path = tmp_path / "osv.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=f"vulnerabilities=.*{message}"):
        osv.read(str(path))


def test_warning_counts_and_names_the_first():
    one = vars(osv.match(of(entry()), [package("1.1")])[0])
    line = "1 known vulnerabilities of installed packages, first GHSA-1 of numpy 1.1"
    assert vulnerabilities.warning(Part("v", "v", {"found": [one]}, [])) == [line]
    assert vulnerabilities.warning(Part("v", "v", {"missing": "none"}, [])) == []


class Run:
    """A run for which a database was named."""

    def __init__(self, path):
        self.vulnerabilities = path


def test_part_is_missing_without_a_database_and_says_when_there_is_nothing(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="--vulnerabilities"):
        vulnerabilities.part(Run(None))
    path = tmp_path / "osv.json"
    path.write_text(json.dumps(entry()))
    monkeypatch.setattr("ftkeras.dossiers.software.installed", lambda: [package("1.1")])
    found = vulnerabilities.part(Run(str(path)))
    assert (found.data["none"], len(found.data["found"])) == (None, 1)
    monkeypatch.setattr("ftkeras.dossiers.software.installed", lambda: [package("1.3")])
    found = vulnerabilities.part(Run(str(path)))
    assert found.find(["none"]) is True
    assert found.shown[0].level == "good"
