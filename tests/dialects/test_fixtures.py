"""What identity providers send, and the standard form of it: one file a request, named by what it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provisioning.dialects import normalise_patch, normalise_resource
from provisioning.scim.definitions import GROUP, USER

FIXTURES = sorted((Path(__file__).parent / "fixtures").rglob("*.json"))
NORMALISE = {"patch": normalise_patch, "resource": normalise_resource}


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_it_is_put_right_and_the_deviation_is_named(file):
    fixture = json.loads(file.read_text())
    resource_type = {"User": USER, "Group": GROUP}[fixture["resourceType"]]
    normalised = NORMALISE[fixture["kind"]](fixture["sent"], resource_type)
    assert normalised.body == fixture["standard"]
    assert normalised.quirks


def test_there_are_fixtures():
    assert {file.parent.name for file in FIXTURES} >= {"okta", "entra", "onelogin"}
