"""Media types, methods and locations (RFC 7644, sections 3.1 and 3.8), in front of and behind a proxy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import requests

from provisioning.app import create_app
from provisioning.cli.service import settings_of
from provisioning.database import db
from tests.conftest import USER_URN

SCIM, PLAIN = "application/scim+json", "application/json"


@pytest.mark.parametrize("path", ["/Users", "/Users/none", "/Schemas"])
@pytest.mark.parametrize(
    ("accept", "spoken"),
    [
        (None, SCIM),
        ("*/*", SCIM),
        (SCIM, SCIM),
        (f"{SCIM}, {PLAIN}", SCIM),
        ("application/*", SCIM),
        (PLAIN, PLAIN),
        (f"text/html, {PLAIN};q=0.5", PLAIN),
    ],
)
def test_answers_come_in_scims_media_type_or_in_plain_json_for_who_reads_only_that(idp, accept, spoken, path):
    answer = idp.request("GET", path, headers={"Accept": accept})
    assert (answer.headers["Content-Type"], answer.json()["schemas"] != []) == (spoken, True)


@pytest.mark.parametrize("query", ["?filter=userName+eq+%22ann%22", "/?filter=userName+eq+%22ann%22", "/?&", "?x=1"])
def test_addresses_are_read_with_goodwill_and_without_any_headers(idp, query):
    """A slash at the end, stray signs, unknown parameters, no Content-Type: identity providers send them all."""
    idp.create_user("ann")
    headers = {"Authorization": f"Bearer {idp.token}", "User-Agent": "", "Accept": ""}
    answer = requests.get(f"{idp.base_url}/scim/v2/Users{query}", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["totalResults"]) == (200, 1)


@pytest.mark.parametrize("accept", ["text/html", "application/xml, text/*", "application/json;q=0"])
def test_who_reads_neither_gets_nothing_and_nothing_is_done(idp, accept):
    body = {"schemas": [USER_URN], "userName": "ann"}
    refused = idp.request("POST", "/Users", body, headers={"Accept": accept})
    assert (refused.status_code, refused.json()["status"]) == (406, "406")
    assert idp.request("GET", "/Users").json()["totalResults"] == 0


@pytest.mark.parametrize("path", ["/Users", "/Groups", "/Schemas", "/ServiceProviderConfig"])
def test_head_is_get_without_the_body_and_options_tells_the_methods(idp, path):
    head, get = idp.request("HEAD", path), idp.request("GET", path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    options = idp.request("OPTIONS", path)
    assert options.status_code in {200, 204}
    assert "GET" in options.headers["Allow"]


FORWARDED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "scim.corp.example",
    "X-Forwarded-Prefix": "/iam",
    "X-Forwarded-For": "203.0.113.7",
}


def location(service, idp, proxies, **headers):
    """Where a User is, according to an application behind so many proxies: in a list, and looked up by name."""
    settings = replace(settings_of(str(service.data_dir)), trusted_proxies=proxies)
    app = create_app(settings)
    try:
        sent = {"Authorization": f"Bearer {idp.token}", **headers}
        answers = [
            app.test_client().get(f"/scim/v2/Users?{query}", headers=sent)
            for query in ("count=1", "filter=userName%20eq%20%22ann%22")
        ]
        (found,) = {answer.get_json()["Resources"][0]["meta"]["location"].partition("/Users/")[0] for answer in answers}
        return found
    finally:
        with app.app_context():
            db.engine.dispose()


def test_locations_follow_the_proxies_that_are_trusted_and_no_others(service, idp):
    idp.create_user("ann")
    configured = f"{service.base_url}/scim/v2"
    assert location(service, idp, 0, **FORWARDED) == configured
    assert location(service, idp, 0, Host="evil.example") == configured
    assert location(service, idp, 1, **FORWARDED) == "https://scim.corp.example/iam/scim/v2"
    forged = {**FORWARDED, "X-Forwarded-Host": "evil.example, scim.corp.example"}
    assert location(service, idp, 1, **forged) == "https://scim.corp.example/iam/scim/v2"
