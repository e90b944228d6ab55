"""The dialects that are known, by their names."""

from __future__ import annotations

from collections.abc import Mapping

from provisioning.dialects import (
    authentik,
    entra,
    google,
    jumpcloud,
    keycloak,
    okta,
    onelogin,
    other,
    ping,
    rippling,
)
from provisioning.dialects.dialect import Dialect

OTHER = other.DIALECT
DIALECTS: Mapping[str, Dialect] = {
    module.DIALECT.name: module.DIALECT
    for module in (okta, entra, onelogin, jumpcloud, google, ping, rippling, authentik, keycloak, other)
}
