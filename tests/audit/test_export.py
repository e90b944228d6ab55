"""The trail taken along: whole, for owners alone, harmless in a spreadsheet, and provable line by line."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from provisioning.audit import canonical
from provisioning.audit.export import COLUMNS
from provisioning.database import reading
from tests.waiting import eventually


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


def exported(admin, **params):
    answer = admin.request("GET", "/audit-events/export", params=params)
    assert answer.status_code == 200, answer.text
    return answer


def lines(answer) -> list[bytes]:
    return answer.content.splitlines()


def listed(idp) -> dict[int, bytes]:
    """The hashes that the seals of a workspace hold, once everything is under one."""
    with reading() as connection:
        parameters = {"id": idp.workspace.id}
        if connection.execute(
            text("SELECT 1 FROM event WHERE workspace_id = :id AND seal_number IS NULL LIMIT 1"), parameters
        ).first():
            return {}
        rows = connection.execute(text("SELECT rows FROM audit_seal WHERE workspace_id = :id"), parameters).scalars()
        return dict(entry for packed in rows for entry in canonical.unpack(packed))


def test_the_hash_of_a_line_is_the_one_that_the_seal_holds(idp, admin):
    idp.create_user("a@corp.example")
    hashes = eventually(lambda: listed(idp))
    answer = exported(admin, format="ndjson")
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.ndjson"'
    told = {json.loads(line)["seq"]: hashlib.sha256(line).digest() for line in lines(answer)}
    assert told == hashes
    assert list(told) == sorted(told)


def test_the_table_is_harmless_and_tells_the_same(idp, admin, command):
    idp.create_user("a@corp.example")
    idp.create_group("=cmd|' /C calc'!A0")
    answer = exported(admin)
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert tuple(rows[0]) == COLUMNS
    facts = [json.loads(line) for line in lines(exported(admin, format="ndjson"))]
    assert [(int(row["seq"]), json.loads(row["payload"])) for row in rows] == [(f["seq"], f["payload"]) for f in facts]
    assert not [cell for row in rows for cell in row.values() if cell[:1] in "=+-@" and cell]
    printed = command("audit", "export", "--workspace", idp.workspace.slug, "--format", "csv")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout.split() == answer.text.split()


def test_a_part_of_the_trail_can_be_asked_for(idp, admin, command):
    idp.create_user("a@corp.example")
    whole = [json.loads(line) for line in lines(exported(admin, format="ndjson"))]
    at = whole[-1]["occurred_at"]
    later = [json.loads(line) for line in lines(exported(admin, format="ndjson", startTime=at))]
    assert [fact["seq"] for fact in later] == [whole[-1]["seq"]]
    earlier = command("audit", "export", "--workspace", idp.workspace.slug, "--until", at)
    assert [json.loads(line)["seq"] for line in earlier.stdout.splitlines()] == [fact["seq"] for fact in whole[:-1]]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert lines(exported(admin, format="ndjson", startTime=tomorrow)) == []


def test_the_trail_is_for_owners_and_of_one_workspace(idp, admin, new_idp, new_admin):
    new_idp().create_user("b@corp.example")
    ids = {json.loads(line)["workspace_id"] for line in lines(exported(admin, format="ndjson"))}
    assert ids == {str(idp.workspace.id)}
    for role in ("source-admin", "minimal-workspace-access"):
        weak = new_admin(idp.workspace.slug, role)
        assert weak.request("GET", "/audit-events/export").status_code == 403
    wrong = admin.request("GET", "/audit-events/export", params={"format": "xml"})
    assert 400 <= wrong.status_code < 500
    assert "format" in wrong.text


def test_no_secret_is_in_an_export(idp, admin):
    idp.create_user("a@corp.example")
    for secret in (idp.token, admin.token):
        for form in ("csv", "ndjson"):
            assert secret not in exported(admin, format=form).text
