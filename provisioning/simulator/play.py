"""Plays an identity provider from its connection test to the last look."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from provisioning.simulator.authentik import Authentik
from provisioning.simulator.client import Client, Sample
from provisioning.simulator.company import at_domain, company
from provisioning.simulator.entra import Entra, EntraFlagged
from provisioning.simulator.google import Google
from provisioning.simulator.idp import IdentityProvider
from provisioning.simulator.jumpcloud import JumpCloud
from provisioning.simulator.keycloak import Keycloak, KeycloakByPut, KeycloakDeactivating
from provisioning.simulator.okta import Okta, OktaOwnApp
from provisioning.simulator.onelogin import OneLogin, OneLoginDeleting
from provisioning.simulator.other import Other
from provisioning.simulator.ping import Ping, PingDeleting, PingMerging
from provisioning.simulator.report import Report
from provisioning.simulator.rippling import Rippling, RipplingByPut

_ALL: tuple[type[IdentityProvider], ...] = (
    *(Okta, Entra, OneLogin, JumpCloud, Google, Ping, Rippling, Authentik, Keycloak),
    Other,
)
_SET_UP_OTHERWISE: tuple[type[IdentityProvider], ...] = (
    *(OktaOwnApp, EntraFlagged, OneLoginDeleting, PingMerging, PingDeleting, RipplingByPut),
    *(KeycloakByPut, KeycloakDeactivating),
)
IDPS: Mapping[str, type[IdentityProvider]] = {kind.name: kind for kind in _ALL}
# Of each identity provider, the ways in which its admins may set it up, by their names; none for most.
VARIANTS: Mapping[str, Mapping[str, type[IdentityProvider]]] = {
    name: {str(kind.variant): kind for kind in _SET_UP_OTHERWISE if kind.name == name} for name in IDPS
}
FULL, BOTH = "full", "both"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be played; the variant is one of the identity provider's `VARIANTS`, or None."""

    idp: str
    base_url: str
    token: str
    users: int
    groups: int
    variant: str | None = None
    seed: int = 1
    concurrency: int = 4
    rounds: str = BOTH

    @property
    def kind(self) -> type[IdentityProvider]:
        """Who is played."""
        return IDPS[self.idp] if self.variant is None else VARIANTS[self.idp][self.variant]


def play(plan: Plan, *, done: Callable[[Sample], None] = lambda _sample: None) -> Report:
    """Play it.

    Args:
        plan: what and against whom.
        done: called after every request, for a progress bar.

    Returns:
        What was found.

    Raises:
        Unreachable: nobody answers.
    """
    report = Report()

    def take_up(sample: Sample) -> None:
        report.add(sample)
        done(sample)

    kind = plan.kind
    client = Client(plan.base_url, plan.token, headers=kind.headers, done=take_up)
    day = company(seed=plan.seed, users=plan.users, groups=plan.groups)
    day = at_domain(day, f"{kind.label()}.corp.example")
    idp = kind(client, report, day, concurrency=plan.concurrency)
    started = time.perf_counter()
    idp.connection_test()
    idp.full()
    idp.verify(idp.company.before)
    if plan.rounds != FULL:
        idp.incremental()
        idp.verify(idp.after_the_day())
    report.seconds = time.perf_counter() - started
    return report
