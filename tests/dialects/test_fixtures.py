"""What identity providers send, and the standard form of it: one file a request, named by what it does."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from provisioning.dialects import (
    DIALECTS,
    filters,
    normalise_patch,
    normalise_replacement,
    normalise_resource,
    patches,
    resources,
    values,
)
from provisioning.scim.definitions import GROUP, USER

FIXTURES = sorted((Path(__file__).parent / "fixtures").rglob("*.json"))
NORMALISE = {"patch": normalise_patch, "resource": normalise_resource}


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_it_is_put_right_and_the_deviation_is_named(file):
    fixture = json.loads(file.read_text())
    resource_type = {"User": USER, "Group": GROUP}[fixture["resourceType"]]
    if fixture["kind"] == "replacement":
        normalised = normalise_replacement(fixture["sent"], resource_type, fixture["dialect"])
    else:
        normalised = NORMALISE[fixture["kind"]](fixture["sent"], resource_type)
    assert normalised.body == fixture["standard"]
    assert normalised.quirks


def test_whoever_deviates_has_fixtures():
    # What deviates in filters has no body to show: it is tested where filters are.
    deviating = {name for name, dialect in DIALECTS.items() if {*dialect.sends, *dialect.means} - set(filters.QUIRKS)}
    assert {file.parent.name for file in FIXTURES} == deviating


def test_every_deviation_stands_in_the_file_of_one_who_sends_it():
    of_values = {
        each
        for name, each in inspect.getmembers(values, inspect.isfunction)
        if each.__module__ == values.__name__ and not name.startswith(("mend", "_"))
    }
    everything = {*resources.QUIRKS, *patches.QUIRKS, *filters.QUIRKS, *of_values}
    everything -= {resources.values, patches.values}
    sent = {quirk for dialect in DIALECTS.values() for quirk in dialect.sends}
    assert {quirk.__name__ for quirk in everything - sent} == set()
    assert {quirk.__name__ for quirk in sent - everything} == set()


def test_what_means_different_things_is_read_as_the_pinned_dialect_means_it_and_else_left_and_told():
    sent = {"schemas": [GROUP.schema.id], "displayName": "Finance"}
    assert normalise_replacement(sent, GROUP, "keycloak").body == {**sent, "members": []}
    for name in DIALECTS.keys() - {"keycloak"}:
        assert normalise_replacement(sent, GROUP, name).body == sent
    told = {name: normalise_replacement(sent, GROUP, name).ambiguous for name in DIALECTS}
    assert {name: met for name, met in told.items() if met} == {"other": ("members_left_out",)}
    assert normalise_replacement({**sent, "Members": None}, GROUP, "keycloak").quirks == ()
