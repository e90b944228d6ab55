"""A workspace's own schema extensions: registered by its admins, shown in discovery, and held to by every request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from provisioning.scim.definitions import USER

URN = "urn:example:params:scim:badge:1.0:User"
DEFINITION = {
    "id": URN,
    "name": "Badge",
    "description": "What the gate knows",
    "attributes": [
        {"name": "number", "uniqueness": "server", "description": "On the card"},
        {"name": "kind", "required": True, "canonicalValues": ["staff", "guest"]},
        {"name": "level", "type": "integer"},
        {"name": "weight", "type": "decimal"},
        {"name": "until", "type": "dateTime"},
        {"name": "gates", "multiValued": True, "caseExact": True},
        {"name": "since", "mutability": "immutable"},
        {"name": "pin", "mutability": "writeOnly"},
        {"name": "seen", "mutability": "readOnly"},
        {"name": "notes", "returned": "request"},
        {"name": "mark", "returned": "always"},
        {
            "name": "issuer",
            "type": "complex",
            "subAttributes": [
                {"name": "value", "required": True},
                {"name": "place", "mutability": "immutable"},
                {"name": "secret", "returned": "never"},
            ],
        },
    ],
}


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def badges(idp, admin):
    made = admin.request("POST", "/schemas", {"resourceType": "User", "definition": DEFINITION})
    assert made.status_code == 201, made.text
    return idp


def create(idp, name="ann", **badge):
    return idp.create_user(name, **{URN: {"kind": "staff", **badge}})


def patch(idp, user, *operations):
    return idp.patch(f"/Users/{user['id']}", *operations)


def replace(path, value):
    return {"op": "replace", "path": f"{URN}:{path}", "value": value}


def test_discovery_shows_it_to_this_workspace_alone(badges, new_idp):
    shown = badges.request("GET", f"/Schemas/{URN.upper()}").json()
    assert [attribute["name"] for attribute in shown["attributes"]] == [a["name"] for a in DEFINITION["attributes"]]
    assert shown["attributes"][0]["uniqueness"] == "server"
    of_user = badges.request("GET", "/ResourceTypes/User").json()["schemaExtensions"]
    assert {"schema": URN, "required": False} in of_user
    stranger = new_idp()
    assert stranger.request("GET", f"/Schemas/{URN}").status_code == 404
    assert URN not in create(stranger)


def test_values_are_kept_filtered_and_sorted_by_their_type(badges):
    create(badges, "a", level=9, weight=1.5, until="2026-01-01T00:30:00+02:00", gates=["North", "south"])
    create(badges, "b", level=10, weight=-3, until="2025-12-31T23:00:00Z")
    create(badges, "c", level=None)
    for condition, expected in {
        f"{URN}:level gt 9": "b",
        f"{URN}:level ge 9": "ab",
        f"{URN}:level eq 10": "b",
        f"{URN}:level ne 10": "ac",
        f"{URN}:level eq 9.0": "a",
        f"{URN}:weight lt 1.50": "b",
        f'{URN}:until lt "2025-12-31T22:45:00Z"': "a",
        f'{URN}:until eq "2025-12-31T22:30:00.000Z"': "a",
        f'{URN}:gates eq "North"': "a",
        f'{URN}:gates eq "north"': "",
        f'{URN}:gates sw "s"': "a",
        f"{URN}:gates pr": "a",
        f'{URN}:kind eq "STAFF"': "abc",
        f'{URN.lower()}:KIND eq "staff" and {URN}:level pr': "ab",
    }.items():
        assert "".join(user["userName"] for user in badges.find("/Users", condition)) == expected, condition
    for by, expected in {"level": "abc", "weight": "bac", "until": "abc", "gates": "abc"}.items():
        pages, cursor = "", ""
        while cursor is not None:
            params = {"sortBy": f"{URN}:{by}", "cursor": cursor, "count": 1}
            page = badges.request("GET", "/Users", params=params).json()
            pages += "".join(user["userName"] for user in page["Resources"])
            cursor = page.get("nextCursor")
        assert pages == expected, by


@pytest.mark.parametrize(
    "condition",
    ['level eq "9"', "level co 1", "pin eq 1", 'until eq "x"', 'pin eq "1"', 'issuer.secret eq "1"', "pin pr"],
)
def test_a_comparison_that_does_not_fit_or_pries_is_refused(badges, condition):
    create(badges, pin="1", issuer={"value": "x", "secret": "1"})
    answer = badges.request("GET", "/Users", params={"filter": f"{URN}:{condition}"})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter")
    assert badges.request("GET", "/Users", params={"sortBy": f"{URN}:pin"}).status_code == 400


@pytest.mark.parametrize(
    "badge",
    [
        {"kind": None, "level": 1},
        {"level": "9"},
        {"level": True},
        {"level": 2**63},
        {"weight": "1"},
        {"until": "2026-01-01"},
        {"until": "2026-01-01T00:00:00"},
        {"gates": {"North": 1}},
        {"issuer": {"place": "x"}},
        {"issuer": [{"value": "x"}]},
    ],
)
def test_a_value_that_does_not_fit_is_refused(badges, badge):
    body = {"schemas": [USER.schema.id, URN], "userName": "ann", URN: {"kind": "staff", **badge}}
    answer = badges.request("POST", "/Users", body)
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue"), answer.text
    assert badges.request("GET", "/Users").json()["totalResults"] == 0


def test_each_is_returned_as_it_says(badges):
    told = {"pin": "1", "notes": "n", "mark": "m", "seen": "s", "issuer": {"value": "v", "secret": "x"}}
    made = create(badges, **told)
    assert made[URN] == {"kind": "staff", "notes": "n", "mark": "m", "issuer": {"value": "v"}}
    path = f"/Users/{made['id']}"
    read = badges.request("GET", path).json()
    assert read[URN] == {"kind": "staff", "mark": "m", "issuer": {"value": "v"}}
    assert badges.request("GET", "/Users").json()["Resources"] == [read]
    named = badges.request("GET", path, params={"attributes": f"{URN}:notes,{URN}:pin"}).json()
    assert (named[URN], set(named)) == ({"notes": "n", "mark": "m"}, {"schemas", "id", URN})
    without = badges.request("GET", path, params={"excludedAttributes": f"{URN}:mark,{URN}:kind"}).json()
    assert without[URN] == {"mark": "m", "issuer": {"value": "v"}}
    assert patch(badges, made, replace("notes", "new")).json()[URN]["notes"] == "new"
    assert "notes" not in patch(badges, made, replace("level", 1)).json()[URN]


def test_what_is_immutable_is_given_once(badges):
    made = create(badges, issuer={"value": "v"})
    assert patch(badges, made, replace("since", "2020"), replace("issuer.place", "Oslo")).status_code == 200
    for operation in (
        replace("since", "2021"),
        {"op": "remove", "path": f"{URN}:since"},
        replace("issuer.place", "Rome"),
        {"op": "remove", "path": f"{URN}:issuer"},
        {"op": "remove", "path": URN},
    ):
        answer = patch(badges, made, operation)
        assert (answer.status_code, answer.json()["scimType"]) == (400, "mutability"), operation
    body = badges.request("GET", f"/Users/{made['id']}").json()
    assert badges.request("PUT", f"/Users/{made['id']}", body).status_code == 200
    del body[URN]["since"]
    assert badges.request("PUT", f"/Users/{made['id']}", body).json()["scimType"] == "mutability"


def test_a_whole_extension_can_be_the_path(badges):
    made = create(badges, level=3)
    told = patch(badges, made, {"op": "add", "path": URN, "value": {"level": 4, "mark": "m"}}).json()
    assert told[URN] == {"kind": "staff", "level": 4, "mark": "m"}
    gone = patch(badges, made, {"op": "remove", "path": URN}).json()
    assert (URN in gone, gone["schemas"]) == (False, [USER.schema.id])


def test_a_unique_value_belongs_to_one_member_also_when_two_ask_at_once(badges):
    made = create(badges, number="No 1")
    body = {"schemas": [USER.schema.id, URN], "userName": "bob", URN: {"kind": "x", "number": "NO 1"}}
    answer = badges.request("POST", "/Users", body)
    assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
    assert f"{URN.lower()}:number" in answer.json()["detail"]
    assert patch(badges, made, replace("number", "no 2")).status_code == 200
    assert badges.request("POST", "/Users", body).status_code == 201
    racers = [{**body, "userName": f"r{number}", URN: {"kind": "x", "number": "7"}} for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda one: badges.request("POST", "/Users", one).status_code, racers))
    assert sorted(statuses) == [201] + [409] * 7
    (winner,) = badges.find("/Users", f'{URN}:number eq "7"')
    badges.request("DELETE", f"/Users/{winner['id']}")
    assert badges.request("POST", "/Users", racers[0]).status_code == 201


def changed(**attribute):
    attributes = [{**one, **attribute} if one["name"] == "level" else one for one in DEFINITION["attributes"]]
    return {**DEFINITION, "attributes": attributes}


def test_a_change_keeps_stored_values_good(badges, admin):
    path = f"/schemas/{URN}"
    assert admin.request("PUT", path, {"definition": changed(type="string")}).status_code == 200
    assert admin.request("PUT", path, {"definition": DEFINITION}).status_code == 200
    made = create(badges, level=1)
    refused = admin.request("PUT", path, {"definition": changed(type="string")})
    assert (refused.status_code, "level" in refused.text) == (409, True)
    more = {**DEFINITION, "attributes": [*DEFINITION["attributes"], {"name": "colour"}]}
    assert admin.request("PUT", path, {"definition": more}).status_code == 200
    assert patch(badges, made, replace("colour", "red")).json()[URN]["colour"] == "red"
    assert admin.request("DELETE", path).status_code == 409
    assert patch(badges, made, {"op": "remove", "path": URN}).status_code == 200
    assert admin.request("DELETE", path).status_code == 200
    assert admin.request("GET", path).status_code == 404
    assert patch(badges, made, replace("colour", "red")).json()["scimType"] == "invalidPath"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"definition": DEFINITION}, 409, "id"),
        ({"definition": {**DEFINITION, "id": f"{URN}:more"}}, 409, "id"),
        ({"definition": {**DEFINITION, "id": "urn:example:params:scim"}}, 409, "id"),
        ({"definition": {**DEFINITION, "id": "x"}}, 422, "id"),
        ({"definition": {**DEFINITION, "id": "urn:x:y", "attributes": [{"name": "!"}]}}, 422, "attributes[0].name"),
        ({"definition": {**DEFINITION, "id": "urn:x:y"}, "resourceType": "Group"}, 422, "attributes"),
        ({"definition": {**DEFINITION, "id": "urn:x:y"}, "resourceType": "Role"}, 422, "resourceType"),
        ({"definition": []}, 422, "definition"),
        ({}, 422, "definition"),
    ],
)
def test_what_cannot_be_registered_is_refused_with_its_place(badges, admin, body, status, field):
    answer = admin.request("POST", "/schemas", body)
    assert (answer.status_code, answer.json()["errors"][0].get("field")) == (status, field)
    assert len(admin.get("/schemas")["schemas"]) == 1


def test_groups_can_be_extended_too(idp, admin):
    urn = "urn:example:params:scim:cost:1.0:Group"
    definition = {"id": urn, "attributes": [{"name": "centre"}, {"name": "size", "type": "integer"}]}
    assert admin.request("POST", "/schemas", {"resourceType": "Group", "definition": definition}).status_code == 201
    group = idp.create_group("G", **{urn: {"centre": "R1", "size": 3}})
    assert group[urn] == {"centre": "R1", "size": 3}
    operation = {"op": "replace", "path": f"{urn}:size", "value": 4}
    assert idp.patch(f"/Groups/{group['id']}", operation).json()[urn]["size"] == 4
    assert [one["id"] for one in idp.find("/Groups", f"{urn}:size gt 3")] == [group["id"]]
    assert idp.request("GET", "/Users", params={"filter": f"{urn}:size gt 3"}).status_code == 400
    assert (
        len(idp.request("GET", "", params={"filter": f"{urn}:size gt 3", "sortBy": f"{urn}:size"}).json()["Resources"])
        == 1
    )


def test_only_who_may_manage_the_workspace_registers(idp, new_admin):
    reader = new_admin(idp.workspace.slug, "source-admin")
    answer = reader.request("POST", "/schemas", {"definition": DEFINITION})
    assert (answer.status_code, "schema.create" in answer.text) == (403, True)


def test_a_mapping_may_ask_for_it(badges, admin, facts_of):
    made = create(badges, level=5)
    mapping = {"about": "User", "condition": f"{URN}:level ge 5", "role": "source-admin"}
    assert admin.request("POST", "/mappings", mapping).status_code == 201
    assert "source-admin" in str(admin.get(f"/users/{made['id']}/access"))
    patch(badges, made, replace("level", 4))
    assert "source-admin" not in str(admin.get(f"/users/{made['id']}/access"))


def test_the_command_line_registers_shows_changes_and_removes(idp, facts_of, command, tmp_path):
    file = tmp_path / "badge.json"
    file.write_bytes(orjson.dumps(DEFINITION))
    workspace = ("--workspace", idp.workspace.slug)
    assert facts_of("schema", "register", str(file), *workspace)["id"] == URN
    assert facts_of("schema", "show", URN, *workspace)["name"] == "Badge"
    file.write_bytes(orjson.dumps(changed(description="How far")))
    assert facts_of("schema", "change", str(file), *workspace)["id"] == URN
    assert facts_of("schema", "list", *workspace)["total"] == 1
    file.write_text("{")
    wrong = command("schema", "register", str(file), *workspace)
    assert (wrong.returncode, "not JSON" in wrong.stderr, "Traceback" in wrong.stderr) == (2, True, False)
    file.write_text('{"id": "x"}')
    refused = command("schema", "register", str(file), *workspace)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert facts_of("schema", "remove", URN, *workspace) == {"removed": URN}
