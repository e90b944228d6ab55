"""JumpCloud: tries everything out on a person and a group of its own first, and deactivates who leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from provisioning.simulator.by_replacement import ByReplacement
from provisioning.simulator.client import GROUP_URN


class JumpCloud(ByReplacement):
    """Core attributes only; a group that is there is taken over by its name."""

    name: ClassVar[str] = "jumpcloud"
    headers: ClassVar[Mapping[str, str]] = {"User-Agent": "JumpCloud-SCIM", "Content-Type": "application/scim+json"}

    def connection_test(self) -> None:
        """`Activate`: a test person and a test group come, are changed, and go again."""
        somebody = next(iter(self.company.before.people.values()))
        tester = replace(somebody, user_name="activation-test@corp.example", external_id="activation-test")
        made = self.client.send("test", "POST", "/Users", expect=(201,), body=self.user(tester))
        if made is None:
            return
        group = {"schemas": [GROUP_URN], "displayName": "JumpCloud activation test", "members": []}
        held = self.client.send("test", "POST", "/Groups", expect=(201,), body=group)
        self.update(made["id"], replace(tester, display_name="Changed"))
        if held is not None:
            self.client.send("test", "DELETE", f"/Groups/{held['id']}", expect=(204,))
        self.client.send("test", "DELETE", f"/Users/{made['id']}", expect=(204,))
