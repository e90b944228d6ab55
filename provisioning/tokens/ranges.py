"""Ranges of addresses that a token may be used from, as CIDR blocks (RFC 4632). Pure.

An IPv4 address that comes mapped into IPv6 (`::ffff:192.0.2.1`; RFC 4291, section 2.5.5.2) is that IPv4 address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from provisioning.refusals import Invalid

MOST = 50
_MAPPED_BITS = 96


def read(written: Iterable[str]) -> tuple[str, ...]:
    """Ranges as they are stored: each once, sorted; a single address is the range of itself.

    Raises:
        Invalid: one is no CIDR block, names an address inside of a block, or there are too many.
    """
    found = {_network(text) for text in written}
    if len(found) > MOST:
        raise Invalid(f"A token has at most {MOST} address ranges.", field="addressRanges")
    return tuple(str(network) for network in sorted(found, key=lambda n: (n.version, n)))


def allow(ranges: Sequence[str], address: str | None) -> bool:
    """Whether an address lies in one of the ranges; no ranges allow any, and no address is in none."""
    if not ranges:
        return True
    try:
        found = _address(address or "")
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(written) for written in ranges)


def within(ranges: Sequence[str], bounds: Sequence[str]) -> bool:
    """Whether all of the ranges lie within others; where those bound nothing, anything does."""
    if not bounds:
        return True
    outer = [ipaddress.ip_network(written) for written in bounds]
    return bool(ranges) and all(_covered(ipaddress.ip_network(written), outer) for written in ranges)


def _covered(inner: IPv4Network | IPv6Network, outer: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(inner.version == one.version and inner.subnet_of(one) for one in outer)  # type: ignore[arg-type]


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        found = ipaddress.ip_network(text.strip())
    except ValueError:
        sentence = f"{text[:64]!r} is no address range: write 192.0.2.0/24 or 2001:db8::/32, with no bits behind."
        raise Invalid(sentence, field="addressRanges") from None
    if isinstance(found, IPv6Network):
        mapped = found.network_address.ipv4_mapped
        if mapped is not None and found.prefixlen >= _MAPPED_BITS:
            return IPv4Network((mapped, found.prefixlen - _MAPPED_BITS))
    return found


def _address(text: str) -> IPv4Address | IPv6Address:
    found = ipaddress.ip_address(text)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return found if mapped is None else mapped
