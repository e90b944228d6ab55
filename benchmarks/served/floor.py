"""The floor: the cheapest application that answers the same, one SQL statement and one commit for each request.

It has no tenants, no credentials, no validation, no facts and no records; its documents are ready text. It is served
by the web server that serves us, with as many processes and threads, and stores in the same PostgreSQL.
"""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
from flask import Flask, Response, request

from benchmarks.company import BASE, LIST_URN

TABLES = """
    CREATE TABLE person (id uuid PRIMARY KEY, position bigserial UNIQUE, name text UNIQUE, document text NOT NULL);
    CREATE TABLE team (id uuid PRIMARY KEY, name text UNIQUE, document text NOT NULL);
    CREATE TABLE belonging (team_id uuid, person_id uuid, PRIMARY KEY (team_id, person_id));
    CREATE TABLE access (subject text, action text, resource text, PRIMARY KEY (subject, action, resource));
    CREATE TABLE token (secret text PRIMARY KEY, answer text NOT NULL);
    CREATE TABLE size (people bigint NOT NULL);
"""
_PAGE = """
    SELECT (SELECT people FROM size), string_agg(document, ','), max(position)
    FROM (SELECT document, position FROM person WHERE position >= %s ORDER BY position LIMIT %s) AS page
"""
_CREATE = "INSERT INTO person (id, name, document) VALUES (%s, %s, %s)"
_CHANGE = """
    UPDATE person SET document = jsonb_set(document::jsonb, %s::text[], %s::jsonb)::text WHERE id = %s
    RETURNING document
"""
_JOIN = """
    INSERT INTO belonging (team_id, person_id) SELECT %s, id FROM person WHERE id = ANY(%s) ON CONFLICT DO NOTHING
"""
_FOUND = """
    WITH team AS (INSERT INTO team (id, name, document) VALUES (%s, %s, %s) RETURNING id)
    INSERT INTO belonging (team_id, person_id) SELECT team.id, person.id FROM team, person WHERE person.id = ANY(%s)
"""
_MEMBERS = """
    SELECT document, (SELECT string_agg('{"value":"' || person_id || '"}', ',') FROM belonging WHERE team_id = id)
    FROM team WHERE id = %s
"""
_JSON = "application/scim+json"
_here = threading.local()


def whole(kind: str, identifier: UUID | str, body: dict[str, Any]) -> bytes:
    """A resource as it is answered, of the body that made it."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    location = f"http://127.0.0.1:8000{BASE}/{kind}s/{identifier}"
    meta = {"resourceType": kind, "created": now, "lastModified": now, "location": location, "version": 'W/"1"'}
    return orjson.dumps({"schemas": body["schemas"], "id": identifier, **body, "meta": meta})


def _run(statement: str, *values: Any) -> Any:
    """One statement, committed by itself; its first row, if it has any."""
    if not hasattr(_here, "connection"):
        _here.connection = psycopg.connect(os.environ["FLOOR_DATABASE_URL"], autocommit=True, prepare_threshold=1)
    cursor = _here.connection.execute(statement, values)
    return cursor.fetchone() if cursor.description else None


def _respond(body: str | bytes, status: int = 200) -> Response:
    return Response(body, status=status, content_type=_JSON)


def _listed(total: int, documents: str | None, count: int, following: str = "") -> Response:
    head = f'{{"schemas":["{LIST_URN}"],"totalResults":{total},"startIndex":1,{following}"itemsPerPage":{count},'
    return _respond(f'{head}"Resources":[{documents or ""}]}}')


def create_user() -> Response:
    """One insert with its commit."""
    body, identifier = orjson.loads(request.get_data()), uuid4()
    document = whole("User", identifier, body)
    _run(_CREATE, identifier, body["userName"], document.decode())
    return _respond(document, 201)


def list_users() -> Response:
    """One person by their name, or a page; a place is a position, so that none has to be counted up to."""
    condition = request.args.get("filter")
    if condition is not None:
        row = _run("SELECT document FROM person WHERE name = %s", condition.split('"')[1])
        return _listed(0, None, 0) if row is None else _listed(1, row[0], 1)
    count, start = int(request.args["count"]), int(request.args.get("cursor") or request.args.get("startIndex", 1))
    total, documents, last = _run(_PAGE, start, count)
    return _listed(total, documents, count, f'"nextCursor":"{last + 1}",')


def read_user(identifier: str) -> Response:
    """One indexed row."""
    return _respond(_run("SELECT document FROM person WHERE id = %s", identifier)[0])


def replace_user(identifier: str) -> Response:
    """One update with its commit."""
    document = whole("User", identifier, orjson.loads(request.get_data()))
    _run("UPDATE person SET document = %s WHERE id = %s", document.decode(), identifier)
    return _respond(document)


def change_user(identifier: str) -> Response:
    """One update that changes the document where it lies."""
    operation = orjson.loads(request.get_data())["Operations"][0]
    path, value = operation["path"].split("."), orjson.dumps(operation["value"]).decode()
    return _respond(_run(_CHANGE, path, value, identifier)[0])


def create_group() -> Response:
    """The group and its members by one statement."""
    body, identifier = orjson.loads(request.get_data()), uuid4()
    members = [member["value"] for member in body.get("members", ())]
    document = whole("Group", identifier, body)
    _run(_FOUND, identifier, body["displayName"], document.decode(), members)
    return _respond(document, 201)


def list_groups() -> Response:
    """One group by its name."""
    row = _run("SELECT document FROM team WHERE name = %s", request.args["filter"].split('"')[1])
    return _listed(0, None, 0) if row is None else _listed(1, row[0], 1)


def read_group(identifier: str) -> Response:
    """One indexed row; with members, their text is made by PostgreSQL."""
    if request.args.get("excludedAttributes") == "members":
        return _respond(_run("SELECT document FROM team WHERE id = %s", identifier)[0])
    document, members = _run(_MEMBERS, identifier)
    return _respond(f'{document[:-1]},"members":[{members or ""}]}}')


def change_group(identifier: str) -> Response:
    """One insert or deletion with its commit; nothing is sent back."""
    operation = orjson.loads(request.get_data())["Operations"][0]
    if operation["op"] == "add":
        _run(_JOIN, identifier, [member["value"] for member in operation["value"]])
    else:
        who = operation["path"].split('"')[1]
        _run("DELETE FROM belonging WHERE team_id = %s AND person_id = %s", identifier, who)
    return Response(status=204)


def bulk() -> Response:
    """An insert with its commit for each operation: each stands by itself."""
    results = []
    for operation in orjson.loads(request.get_data())["Operations"]:
        identifier, body = uuid4(), operation["data"]
        _run(_CREATE, identifier, body["userName"], whole("User", identifier, body).decode())
        location = f"http://127.0.0.1:8000{BASE}/Users/{identifier}"
        made = {"location": location, "version": 'W/"1"', "status": "201"}
        results.append({"method": "POST", "bulkId": operation["bulkId"], **made})
    urn = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
    return _respond(orjson.dumps({"schemas": [urn], "Operations": results}))


def evaluate() -> Response:
    """One indexed row."""
    asked = orjson.loads(request.get_data())
    row = _run(
        "SELECT true FROM access WHERE subject = %s AND action = %s AND resource = %s",
        asked["subject"]["id"],
        asked["action"]["name"],
        asked["resource"]["id"],
    )
    return Response(orjson.dumps({"decision": row is not None}), content_type="application/json")


def introspect() -> Response:
    """One indexed row."""
    row = _run("SELECT answer FROM token WHERE secret = %s", request.form["token"])
    return Response(row[0] if row else '{"active":false}', content_type="application/json")


def wsgi() -> Flask:
    """The application."""
    app = Flask("floor", static_folder=None)
    for method, path, view in (
        ("POST", f"{BASE}/Users", create_user),
        ("GET", f"{BASE}/Users", list_users),
        ("GET", f"{BASE}/Users/<identifier>", read_user),
        ("PUT", f"{BASE}/Users/<identifier>", replace_user),
        ("PATCH", f"{BASE}/Users/<identifier>", change_user),
        ("POST", f"{BASE}/Groups", create_group),
        ("GET", f"{BASE}/Groups", list_groups),
        ("GET", f"{BASE}/Groups/<identifier>", read_group),
        ("PATCH", f"{BASE}/Groups/<identifier>", change_group),
        ("POST", f"{BASE}/Bulk", bulk),
        ("POST", "/access/v1/evaluation", evaluate),
        ("POST", "/oauth/introspect", introspect),
    ):
        app.add_url_rule(path, view.__name__, view, methods=[method])
    return app
