"""What the documents name, the code has, and the other way round."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.roles import CATALOGUE
from config.variables import VARIABLES
from provisioning.cli.main import provisioning
from provisioning.dialects import DIALECTS, filters, patches, resources
from provisioning.outbox import Fact
from provisioning.refusals import Invalid, Refusal
from provisioning.simulator import IDPS, VARIANTS
from provisioning.web.failure import _TROUBLES as TROUBLES
from workers.handlers import HANDLERS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
DOCUMENTS = {str(path.relative_to(ROOT)).removeprefix("docs/"): path.read_text() for path in PAGES}


def below(kind: type) -> set[type]:
    direct = {k for k in kind.__subclasses__() if k.__module__.startswith("provisioning.")}
    return direct | {k for child in direct for k in below(child)}


def test_every_setting_is_told_with_its_default():
    for variable in VARIABLES:
        assert (
            f"| `{variable.name}` | {f'`{variable.default}`' if variable.default else '-'} |"
            in DOCUMENTS["settings.md"]
        )


def test_every_role_fact_refusal_and_quirk_is_told():
    facts = {fact.name for fact in below(Fact) if isinstance(getattr(fact, "name", None), str)}
    names = facts | {role["key"] for role in CATALOGUE} | {refusal.code for refusal in below(Refusal)}
    by_dialect = [quirk for dialect in DIALECTS.values() for quirk in (*dialect.sends, *dialect.means)]
    quirks = (*resources.QUIRKS, *patches.QUIRKS, *filters.QUIRKS, *by_dialect)
    names |= {quirk.__name__ for quirk in quirks} - {"values"}
    assert set(HANDLERS) <= facts
    assert sorted(name for name in names if f"`{name}`" not in DOCUMENTS["reference.md"]) == []


def test_every_refusal_is_told_with_its_status():
    told = dict(re.findall(r"^\| `(\w+)` \| (\d{3}) \|", DOCUMENTS["reference.md"], flags=re.MULTILINE))
    # The admin API has a status of its own for a value that can't be, as the vendor's SDKs expect it.
    statuses = {refusal.code: refusal.status for refusal in below(Refusal)} | {Invalid.code: 422}
    statuses |= {failure.code: failure.status for failure in TROUBLES.values() if failure.code != Invalid.code}
    assert {code: told.get(code) for code in statuses} == {code: str(status) for code, status in statuses.items()}


def test_every_named_test_exists():
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = {name for text in DOCUMENTS.values() for name in re.findall(r"`(test_\w+)`", text)}
    assert sorted(name for name in named if f"def {name}(" not in sources) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_named_with_its_file_stands_there(document):
    named = re.findall(r"`(tests/[^`:]*)(?:::(\w+))?`", DOCUMENTS[document])
    assert [path for path, _ in named if not (ROOT / path).exists()] == []
    assert [name for path, name in named if name and f"\ndef {name}(" not in (ROOT / path).read_text()] == []


def test_every_lesson_names_what_holds_it():
    rows = re.findall(r"^\| (.+) \|$", DOCUMENTS["scim-lessons.md"], flags=re.MULTILINE)
    lessons = [row.split(" | ") for row in rows if row != "thread | lesson | held by"]
    assert len(lessons) > 100
    assert [row for row in lessons if len(row) != 3 or not re.search(r"`tests/[^`]+\.py::test_\w+`", row[2])] == []


def test_every_promise_names_what_holds_it():
    rows = re.findall(r"^\| (P\d+) \| (.+) \|$", DOCUMENTS["guarantees.md"], flags=re.MULTILINE)
    assert [name for name, _ in rows] == [f"P{number}" for number in range(1, 11)]
    promises = [row.split(" | ") for _, row in rows]
    assert [row for row in promises if len(row) != 3 or not re.search(r"`tests/[^`]+\.py::test_\w+`", row[2])] == []
    told = set(re.findall(r"`tests/faults/(test_\w+\.py::test_\w+)`", DOCUMENTS["guarantees.md"]))
    faults = (ROOT / "tests" / "faults").glob("test_*.py")
    there = {f"{path.name}::{name}" for path in faults for name in re.findall(r"\ndef (test_\w+)\(", path.read_text())}
    assert told == there


def test_every_identity_provider_is_played_and_replayed_as_told():
    row = r"^\| \[[^]]+\]\(([a-z]+)[^)]*\.md\) \| (.+) \|$"
    told = dict(re.findall(row, DOCUMENTS["identity-providers/README.md"], flags=re.MULTILINE))
    stories = {folder.name for folder in (ROOT / "tests" / "replays").iterdir() if any(folder.glob("*.json"))}
    assert {name for name, cells in told.items() if "replayed" in cells} == stories
    assert {name for name, cells in told.items() if re.search(r"\bplayed\b", cells)} == set(IDPS)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document):
    folder = ROOT if document == "README.md" else (ROOT / "docs" / document).parent
    links = re.findall(r"\]\(([^)#:]+)\)", DOCUMENTS[document])
    assert [link for link in links if not (folder / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_is_told_exists(document):
    for words in re.findall(r"provisioning ((?:[a-z-]+ ?)+)", DOCUMENTS[document]):
        found, *rest = words.split()
        command = provisioning.commands.get(found)
        if command is not None and hasattr(command, "commands") and rest and rest[0] in "create list show":
            assert rest[0] in command.commands, words
    told = set(re.findall(r"(?:^|`|/)provisioning ([a-z-]+)", DOCUMENTS[document], flags=re.MULTILINE))
    assert sorted(told - set(provisioning.commands)) == []


def test_every_variant_that_can_be_played_is_told():
    for name, variants in VARIANTS.items():
        for variant in variants:
            assert f"| `{name}` | `{variant}` |" in DOCUMENTS["connect.md"]
