"""scim2-server's application for a web server, as its own command puts it together."""

from __future__ import annotations

import os
from typing import Any

from scim2_models import ScimProvider
from scim2_server.memory import InMemoryStorage
from scim2_server.service import ScimService
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)


class _UnderBase:
    """The application below `/scim/v2`, where all are asked."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        base, path = "/scim/v2", environ["PATH_INFO"]
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = base, path.removeprefix(base)
        # Granian's input can't be read "to its end", which the application asks for where no length is told.
        environ.setdefault("CONTENT_LENGTH", "0")
        return self._application(environ, start_response)


def wsgi() -> Any:
    """The application."""
    config = load_default_service_provider_config()
    provider = ScimProvider.from_discovery(
        load_default_schemas().values(), load_default_resource_types().values(), config=config
    )
    service = ScimService(provider, secret="s" * 32)
    storage = InMemoryStorage()
    return _UnderBase(BearerTokenApplication(storage, provider, service, [os.environ["PEER_TOKEN"]]))
