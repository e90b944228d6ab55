"""The table of who has what: whole, in batches, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest
import requests

from provisioning.access.export import COLUMNS
from provisioning.database import transaction
from provisioning.spreadsheet import defused
from tests import crowd

WHOLE = [{"type": "WORKSPACE"}]
HOSTILE = {
    "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0",
    "+1": "'+1",
    "-2+3": "'-2+3",
    "@SUM(1)": "'@SUM(1)",
    "\t=1": "'\t=1",
    " =1": "' =1",
    "\uff1dcmd": "'\uff1dcmd",
    'He said "no", twice': 'He said "no", twice',
    "two\nlines, =1": "two\nlines, =1",
    "plain": "plain",
}


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


def table(written: str) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(written, newline="")))
    assert all(None not in row and None not in row.values() for row in rows)
    return rows


def exported(admin) -> requests.Response:
    answer = admin.request("GET", "/access/export")
    assert answer.status_code == 200, answer.text
    return answer


def test_each_path_to_a_role_is_a_line_with_where_it_comes_from(idp, admin):
    user = idp.create_user("a@corp.example", displayName="A")["id"]
    idp.create_user("b@corp.example", displayName="B", active=False)
    group = idp.create_group("Data", user)["id"]
    by_hand = {"permissions": [{"roleId": "source-admin", "resources": [{"type": "SOURCE", "id": "s"}]}]}
    assert admin.request("PUT", "/resources", {"resources": [{"type": "source", "id": "s", "name": "s"}]}).ok
    assert admin.request("POST", f"/users/{user}/permissions", by_hand).ok
    everything = {"permissions": [{"roleId": "pii-access", "resources": WHOLE}]}
    assert admin.request("POST", f"/groups/{group}/permissions", everything).ok
    rule = {"group": "Data", "name": "M", "role": "source-read-only", "labels": ["environment:prod"]}
    assert admin.request("POST", "/mappings", rule).ok
    answer = exported(admin)
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="access.csv"'
    assert answer.text.split("\r\n")[0] == ",".join(COLUMNS)
    told = [
        tuple(row[part] for part in ("name", "state", "role", "scope", "via", "group", "mapping"))
        for row in table(answer.text)
    ]
    assert told == [
        ("A", "active", "minimal-workspace-access", "all", "membership", "", ""),
        ("A", "active", "pii-access", "all", "group", "Data", ""),
        ("A", "active", "source-admin", "source:s", "policy", "", ""),
        ("A", "active", "source-read-only", "environment:prod", "mapping", "Data", "M"),
        ("B", "suspended", "", "", "", "", ""),
    ]
    first, *_ = table(answer.text)
    assert (first["user_id"], first["email"], first["member_origin"], first["member_connection"]) == (
        *(user, "a@corp.example", "scim", "idp"),
    )
    assert {row["policy_origin"] for row in table(answer.text) if row["policy_id"]} == {"manual"}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_spreadsheet_would_run_is_text(name):
    assert defused(name) == HOSTILE[name]


def test_hostile_names_come_out_whole_and_harmless(idp, admin, command):
    for number, name in enumerate(HOSTILE):
        idp.create_user(f"p{number}@corp.example", displayName=name)
    rows = table(exported(admin).text)
    assert [row["name"] for row in rows] == list(HOSTILE.values())
    printed = command("member", "export", "--workspace", idp.workspace.slug)
    assert printed.returncode == 0
    assert [row["name"].replace("\r\n", "\n") for row in table(printed.stdout)] == list(HOSTILE.values())


def test_five_thousand_people_come_in_pieces_each_once(idp, admin):
    with transaction() as connection:
        crowd.join(connection, workspace_id=idp.workspace.id, slug=idp.workspace.slug, count=5000)
    url = f"{admin.base_url}/api/access/export"
    headers = {"Authorization": f"Bearer {admin.token}"}
    with requests.get(url, headers=headers, stream=True, timeout=60) as answer:
        assert "Content-Length" not in answer.headers
        written = "".join(piece.decode() for piece in answer.iter_content(65536))
    rows = table(written)
    assert len(rows) == len({row["user_id"] for row in rows}) == 5000
    assert len({row["email"] for row in rows}) == 5000


def test_the_table_is_of_one_workspace_and_for_those_who_may_see_access(idp, admin, new_idp, new_admin):
    idp.create_user("a@corp.example")
    other = new_idp()
    other.create_user("b@corp.example")
    assert [row["email"] for row in table(exported(admin).text)] == ["a@corp.example"]
    weak = new_admin(idp.workspace.slug, "source-admin")
    assert weak.request("GET", "/access/export").status_code == 403
