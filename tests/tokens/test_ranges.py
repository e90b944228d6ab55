"""From where a token may be used: how ranges are written, and which addresses lie in them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.refusals import Invalid
from provisioning.tokens import ranges


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (["192.0.2.0/24", " 192.0.2.0/24"], ("192.0.2.0/24",)),
        (["192.0.2.7"], ("192.0.2.7/32",)),
        (["2001:DB8::/32", "10.0.0.0/8"], ("10.0.0.0/8", "2001:db8::/32")),
        (["::ffff:192.0.2.0/120"], ("192.0.2.0/24",)),
        (["::ffff:192.0.2.7"], ("192.0.2.7/32",)),
        (["0.0.0.0/0", "::/0"], ("0.0.0.0/0", "::/0")),
        ([], ()),
    ],
)
def test_ranges_are_stored_in_one_form(written, stored):
    assert ranges.read(written) == stored
    assert ranges.read(stored) == stored


@pytest.mark.parametrize(
    "written",
    ["", "x", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/255.255.0.255", "192.0.2", "2001:db8::1/32", "1" * 500],
)
def test_what_is_no_range_is_refused_by_name(written):
    with pytest.raises(Invalid) as refused:
        ranges.read([written])
    assert refused.value.field == "addressRanges"
    assert len(refused.value.sentence) < 200


def test_there_are_not_too_many():
    assert len(ranges.read(f"10.0.0.{n}" for n in range(50))) == 50
    with pytest.raises(Invalid):
        ranges.read(f"10.0.0.{n}" for n in range(51))


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("192.0.2.0", True),
        ("192.0.2.255", True),
        ("192.0.3.0", False),
        ("191.255.255.255", False),
        ("::ffff:192.0.2.1", True),
        ("::ffff:c000:201", True),
        ("::ffff:192.0.3.1", False),
        ("2001:db8:ffff::1", True),
        ("2001:db9::1", False),
        ("::192.0.2.1", False),
        ("unix:", False),
        ("", False),
        (None, False),
    ],
)
def test_an_address_lies_in_a_range_or_not(address, allowed):
    assert ranges.allow(("192.0.2.0/24", "2001:db8::/32"), address) is allowed
    assert ranges.allow((), address) is True


@given(
    inner=st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)),
    outer=st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)),
    of_inner=st.integers(0, 2**32 - 1),
)
def test_whatever_a_narrower_range_allows_the_wider_one_does(inner, outer, of_inner):
    one, other = (str(ip_network((number, length), strict=False)) for number, length in (inner, outer))
    network = ip_network(one)
    address = str(network[of_inner % network.num_addresses])
    if ranges.within([one], [other]):
        assert ranges.allow([other], address)
    assert ranges.allow([one], address)
    assert ranges.allow([one], f"::ffff:{ip_address(address)}")


def test_to_have_no_ranges_is_within_none_but_none():
    assert ranges.within([], [])
    assert ranges.within(["10.0.0.0/8"], [])
    assert not ranges.within([], ["10.0.0.0/8"])
    assert not ranges.within(["::/0"], ["0.0.0.0/0"])
    assert ranges.within(["10.1.0.0/16", "2001:db8::/48"], ["10.0.0.0/8", "2001:db8::/32"])
