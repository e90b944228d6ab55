"""Schemas that an admin registers: what is one, and which change keeps stored values good."""

from __future__ import annotations

import pytest

from provisioning.scim.definitions import GROUP, USER
from provisioning.scim.errors import InvalidValue
from provisioning.scim.extensions import keeps_to, read_schema
from provisioning.scim.messages import schema_body

URN = "urn:example:params:scim:badge:1.0:User"


def schema(*attributes, **changed):
    return {"id": URN, "name": "Badge", "attributes": [{"name": "a", **one} for one in attributes], **changed}


@pytest.mark.parametrize("known", [USER.schema, GROUP.schema, *USER.extensions])
def test_what_is_shown_can_be_read_again(known):
    own = schema_body(known) | {"id": URN}
    if known is not USER.schema and known is not GROUP.schema:
        assert schema_body(read_schema(own)) == own
    else:
        with pytest.raises(InvalidValue, match="unique"):
            read_schema(own | {"attributes": [{"name": "x", "multiValued": True, "uniqueness": "server"}]})


def test_what_is_left_out_is_as_the_standard_says():
    (attribute,) = read_schema(schema({})).attributes
    assert attribute.as_json() == {
        "name": "a",
        "type": "string",
        "multiValued": False,
        "description": "",
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    }


PARTS = [{"name": "value"}]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("text", "object"),
        (schema({}, id="badge"), "id"),
        (schema({}, id="urn:ietf:params:scim:schemas:core:2.0:User"), "id"),
        (schema(), "attributes"),
        (schema(*[{}] * 101), "attributes"),
        (schema({}, {"name": "A"}), r"attributes\[1\]\.name"),
        (schema({"name": "1a"}), r"attributes\[0\]\.name"),
        (schema({"name": "a.b"}), r"attributes\[0\]\.name"),
        (schema({"name": 5}), r"attributes\[0\]\.name"),
        (schema({"type": "text"}), r"attributes\[0\]\.type"),
        (schema({"mutability": "x"}), r"attributes\[0\]\.mutability"),
        (schema({"returned": "x"}), r"attributes\[0\]\.returned"),
        (schema({"uniqueness": "x"}), r"attributes\[0\]\.uniqueness"),
        (schema({"required": "yes"}), r"attributes\[0\]\.required"),
        (schema({"type": "complex"}), "subAttributes"),
        (schema({"subAttributes": PARTS}), "subAttributes"),
        (schema({"type": "complex", "subAttributes": [{"name": "b", "multiValued": True}]}), "multiValued"),
        (schema({"type": "complex", "subAttributes": [{"name": "b", "type": "complex"}]}), "complex"),
        (schema({"mutability": "writeOnly", "returned": "default"}), "writeOnly"),
        (schema({"mutability": "readOnly", "required": True}), "readOnly"),
        (schema({"multiValued": True, "uniqueness": "server"}), "unique"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(sent, told):
    with pytest.raises(InvalidValue, match=told):
        read_schema(sent)


@pytest.mark.parametrize(
    ("after", "is_kept"),
    [
        ([{}, {"name": "new"}], True),
        ([{"description": "better", "canonicalValues": ["x"], "returned": "request"}], True),
        ([{"name": "other"}], False),
        ([{"type": "integer"}], False),
        ([{"caseExact": True}], False),
        ([{"required": True}], False),
        ([{}, {"name": "new", "required": True}], False),
    ],
)
def test_which_change_keeps_stored_values_good(after, is_kept):
    before = read_schema(schema({})).attributes
    assert (keeps_to(before, read_schema(schema(*after)).attributes) is None) == is_kept
