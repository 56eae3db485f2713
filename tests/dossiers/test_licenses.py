"""License expressions, their conflicts with a use, and policies."""

from types import SimpleNamespace
from typing import Any

import pytest
from license_expression import get_spdx_licensing

from ftkeras.config.run import Config
from ftkeras.dossiers import about, license_policy, license_terms, licenses, software
from ftkeras.dossiers.about import About
from ftkeras.errors import UserError

COMMERCIAL = {"use.commercial": True}
PUBLISHED = {"use.publish_model": True, "use.same_license": False}


def conflicts(expression, statements, kind="data"):
    ask = licenses._asker(kind, About(statements))
    return license_terms.judge(expression, ask).conflicts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apache-2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("MIT License", "MIT"),
        ("mit or gpl-3.0-only", "MIT OR GPL-3.0-only"),
        ("CC BY-NC 4.0", "CC-BY-NC-4.0"),
        ("BSD License", "unknown"),
        ("other", "unknown"),
        ("see the file LICENSE", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_licenses_are_identified_or_unknown(text, expected):
    assert license_terms.identify(text) == expected


def test_aliases_and_patterns_are_of_spdx():
    known = set(get_spdx_licensing().known_symbols)
    assert set(license_terms.ALIASES.values()) <= known
    for pattern, _ in license_terms._table():
        stem = pattern.rstrip("*")
        assert any(one.startswith(stem) for one in known), pattern


@pytest.mark.parametrize(
    ("expression", "statements", "count"),
    [
        ("CC-BY-NC-4.0", COMMERCIAL, 1),
        ("CC-BY-NC-4.0", {}, 0),
        ("CC-BY-NC-4.0", {"use.commercial": False}, 0),
        ("CC-BY-4.0", COMMERCIAL, 0),
        ("CC-BY-ND-4.0", PUBLISHED, 1),
        ("CC-BY-SA-4.0", PUBLISHED, 1),
        ("CC-BY-SA-4.0", {**PUBLISHED, "use.same_license": True}, 0),
        ("CC-BY-SA-4.0", {"use.same_license": False}, 0),
        ("CC-BY-NC-SA-4.0", {**COMMERCIAL, **PUBLISHED}, 2),
        ("MIT OR CC-BY-NC-4.0", COMMERCIAL, 0),
        ("MIT AND CC-BY-NC-4.0", COMMERCIAL, 1),
        ("GPL-2.0-only WITH Classpath-exception-2.0", COMMERCIAL, 0),
    ],
)
def test_conflicts_with_the_stated_use(expression, statements, count):
    assert len(conflicts(expression, statements)) == count


def test_license_of_a_teacher_is_unknown_until_it_is_stated():
    def of_teacher(**stated) -> list[str]:
        config = Config(teacher=("runs/big",), regularizer=("distill",))
        run: Any = SimpleNamespace(about=About(stated), task=None, config=config, checkpoint=None)
        return [one.license for one in licenses._licensed(run) if one.kind == "teacher"]

    assert of_teacher() == ["unknown"]
    assert of_teacher(**{"teacher.license": "CC-BY-ND-4.0"}) == ["CC-BY-ND-4.0"]
    assert len(conflicts("CC-BY-ND-4.0", PUBLISHED, "teacher")) == 1


def test_dependency_is_not_published_with_the_model():
    assert conflicts("GPL-3.0-only", PUBLISHED, "dependency") == ()
    software = {"use.publish_software": True, "use.same_license": False}
    assert len(conflicts("GPL-3.0-only", software, "dependency")) == 1


def test_unknown_license_stays_unknown():
    assert license_terms.judge("unknown", lambda terms: ()).unknown == ("unknown",)
    assert license_terms.judge("Beerware", lambda terms: ()).unknown == ("Beerware",)


@pytest.mark.parametrize(
    ("use", "said"),
    [
        ({}, "Not compared, as about.yaml does not state use.commercial, use.publish_model, "),
        ({"commercial": True}, "Not fully compared, as about.yaml does not state use.publish_mod"),
        ({"commercial": True, "publish_model": False}, "No license conflicts with the stated use"),
        ({"commercial": True, "publish_model": True}, "Not fully compared, as about.yaml does not"),
    ],
)
def test_page_says_which_uses_were_not_compared(use, said):
    (notice,) = licenses._verdict({"use": use, "conflicts": [], "unknown": []})
    assert notice.text.startswith(said)


DATA = {
    "items": [
        {"of": "data", "name": "d", "license": "CC-BY-4.0"},
        {"of": "dependency", "name": "p 1", "license": "MIT OR GPL-3.0-only"},
        {"of": "encoder", "name": "e", "license": "unknown"},
    ],
    "conflicts": ["data d: CC-BY-4.0 forbids it"],
    "unknown": ["encoder e"],
}


def refused(tmp_path, text: str) -> list[str]:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    return license_policy.refusals(license_policy.read(str(path)), {**DATA, "conflicts": []})


@pytest.mark.parametrize(("policy", "count"), [("report", 0), ("conflicts", 1), ("strict", 2)])
def test_policies_by_name(policy, count):
    assert len(license_policy.refusals(license_policy.read(policy), DATA)) == count


def test_licenses_that_were_not_measured_are_refused():
    missing = {"missing": "license-expression is not installed"}
    for policy, count in (("report", 0), ("conflicts", 1), ("strict", 1)):
        found = license_policy.refusals(license_policy.read(policy), missing)
        assert len(found) == count
        assert all("could not be measured: license-expression is not" in line for line in found)


def test_own_policy(tmp_path):
    assert refused(tmp_path, "deny: [GPL-3.0-only]\n") == []  # MIT may be chosen
    assert refused(tmp_path, "deny: [GPL-3.0-only, mit]\n") == [
        "dependency p 1: MIT OR GPL-3.0-only is denied"
    ]
    assert refused(tmp_path, "allow: [MIT]\n") == ["data d: CC-BY-4.0 is not allowed"]
    name = "GPL-3.0-or-later WITH GCC-exception-3.1"
    path = tmp_path / "with.yaml"
    path.write_text(f"allow: [{name}]\n")
    items = [{"of": "dependency", "name": "p", "license": name}]
    assert license_policy.refusals(license_policy.read(str(path)), {"items": items}) == []
    assert refused(tmp_path, "unknown: refuse\n") == ["encoder e: unknown license"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("forbid: [MIT]\n", "there is no key 'forbid'"),
        ("deny: [GNU]\n", "'GNU' is no SPDX identifier"),
        ("deny: [MIT OR ISC]\n", "'MIT OR ISC' is no SPDX identifier"),
        ("deny: MIT\n", "must be a list"),
        ("unknown: maybe\n", "must be refuse or accept"),
    ],
)
def test_mistakes_in_an_own_policy_are_refused(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        refused(tmp_path, text)


def test_unknown_policy_is_refused():
    with pytest.raises(UserError, match="did you mean strict"):
        license_policy.read("stric")


def test_installed_packages_are_found_with_their_licenses():
    found = {package.name: package for package in software.installed()}
    # Older versions of NumPy state no more than "BSD License", which does not say which one.
    assert found["numpy"].license.startswith(("BSD-3-Clause", "unknown"))
    assert found["tensorflow"].license == "Apache-2.0"
    assert "numpy" in found["tensorflow"].needs
    assert "pytest" not in found  # only an extra requires it


def test_template_asks_for_every_use_that_is_compared():
    uses = {key for key in list(about.keys()) if key.startswith("use.")}
    assert {*COMMERCIAL, *PUBLISHED, "use.publish_data", "use.publish_software"} == uses


def test_conflicts_that_are_not_refused_are_one_line():
    report = license_policy.read("report")
    assert license_policy.warnings(report, {"conflicts": []}) == []
    assert license_policy.warnings(report, {"conflicts": ["data a: b"]}) == [
        "1 license conflict with the stated use: data a: b"
    ]
    assert license_policy.warnings(report, {"conflicts": ["data a: b", "code c: d"]}) == [
        "2 license conflicts with the stated use; the first is data a: b"
    ]
    refused = license_policy.read("conflicts")
    assert license_policy.warnings(refused, {"conflicts": ["data a: b"]}) == []


@pytest.mark.parametrize("name", ["BSD-Protection", "BSD-3-Clause-No-Nuclear-License", "MIT-enna"])
def test_names_that_only_begin_like_a_permissive_license_have_unknown_terms(name):
    found = license_terms.judge(license_terms.identify(name), lambda terms: ())
    assert found.unknown == (name,)
    known = license_terms.judge("BSD-3-Clause", lambda terms: ())
    assert known.unknown == ()
