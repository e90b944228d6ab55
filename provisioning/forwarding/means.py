"""What telling the outside takes, as the composition root hands it to doors and workers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from provisioning.forwarding.wire import Target
from provisioning.outbound import Outbound
from provisioning.sealing import Sealer

# The queue of its work: others' machines may keep it waiting, and nothing else waits behind it.
QUEUE = "forwarding"
PURPOSE = "secrets of forwarding endpoints"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an endpoint may fail before its owners are told, and before it is given up."""

    alarm: timedelta
    give_up: timedelta


@dataclass(frozen=True, slots=True)
class Means:
    """The way out.

    Args:
        sealer: of endpoints' secrets.
        outbound: makes the workers' calls; those who only try an endpoint call as anybody does.
        patience: with endpoints that fail.
        syslog: where the operator wants everything told, if anywhere.
    """

    sealer: Sealer
    outbound: Outbound
    patience: Patience
    syslog: Target | None
