"""Which events are meant by a list of names."""

from __future__ import annotations

import pytest

from provisioning.forwarding import selection
from provisioning.refusals import Invalid

KNOWN = {"member.added", "member.removed", "members.counted", "policy.created"}


@pytest.mark.parametrize(
    ("patterns", "meant"),
    [
        (["*"], KNOWN),
        (["member.*"], {"member.added", "member.removed"}),
        (["member.added", "policy.*"], {"member.added", "policy.created"}),
    ],
)
def test_names_and_families_of_names_are_meant(patterns, meant):
    assert {name for name in KNOWN if selection.matches(patterns, name)} == meant


@pytest.mark.parametrize("pattern", ["member", "member.", "memberadded", "mem*", ".*", "", "*.added", "member.addedx"])
def test_what_can_never_be_met_is_refused(pattern):
    with pytest.raises(Invalid):
        selection.checked(["policy.created", pattern], known=KNOWN)


def test_a_list_is_kept_in_order_and_without_doubles_and_is_never_empty():
    assert selection.checked(["policy.*", "*", "policy.*"], known=KNOWN) == ["*", "policy.*"]
    for count in (0, 101):
        with pytest.raises(Invalid):
            selection.checked(["*"] * count, known=KNOWN)
