"""The composition root of the web process: builds, wires and registers; no logic."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Any

import orjson
from flask import Flask
from flask.json.provider import JSONProvider

from config import roles, secret_key, settings
from config.settings import InvalidSettings, Settings
from provisioning import context, logs, nudge, signing_keys
from provisioning.access.roles import Catalogue
from provisioning.audit import signatures
from provisioning.audit.reads import Recorded
from provisioning.audit.signatures import Notary
from provisioning.context import Context
from provisioning.credentials import Keyring
from provisioning.database import db, engine_options, through_pooler
from provisioning.forwarding import means
from provisioning.forwarding.means import Means, Patience
from provisioning.forwarding.wire import Target
from provisioning.outbound import Outbound
from provisioning.pace import Measures, Pace
from provisioning.post.folder import Folder
from provisioning.post.letters import Carrier
from provisioning.post.smtp import Server
from provisioning.sealing import Sealer
from provisioning.sessions.rules import Limits, SessionPolicy
from provisioning.tokens.lifetimes import TokenLimits
from provisioning.web import errors, guard, haste, health, lanes, requests, shedding
from provisioning.web.admin import api
from provisioning.web.authzen import door as authzen
from provisioning.web.authzen import lane as evaluation
from provisioning.web.console import door as console
from provisioning.web.oauth import door as oauth
from provisioning.web.oauth import lane as introspection
from provisioning.web.scim import door, journal
from provisioning.web.scim import lane as scim_lane
from provisioning.web.sign_in import invitation, link, mine, oidc, out
from provisioning.web.sign_in.state import SealedState

# More than the threads that anybody gives a worker, which has nothing else to do than to call.
_MOST_FORWARDED_AT_ONCE = 64


class _Application(Flask):
    """Flask, but that it does not ask each function at each request whether it is a coroutine: none is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function."""
        return func


class _Orjson(JSONProvider):
    """JSON by orjson: several times faster, and it refuses what isn't JSON."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:  # noqa: ARG002 - Flask's signature
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:  # noqa: ARG002 - Flask's signature
        return orjson.loads(s)


def create_app(settings: Settings) -> Flask:
    """The application of these settings, ready to serve.

    Raises:
        InvalidSettings: there is no database, or no key where one is demanded.
    """
    app = without_doors(settings)
    _register(app)
    return app


def without_doors(settings: Settings) -> Flask:
    """The application that commands and workers are at work in: making the doors would be a tenth of what they cost.

    Raises:
        InvalidSettings: there is no database, or no key where one is demanded.
    """
    if settings.database_url is None:
        raise InvalidSettings("DATABASE_URL must be set: `provisioning up` sets it to its own PostgreSQL")
    logs.configure(settings.log_level)
    app = _Application("provisioning", static_folder=None)
    app.json = _Orjson(app)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    options = engine_options(pool_size=settings.web_threads + 1)
    pooled = settings.database_pooler == "transaction"
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = through_pooler(options) if pooled else options
    db.init_app(app)
    nudge.init_app(app, broker_url=settings.redis_url)
    context.install(app, _context(settings))
    return app


def _context(settings: Settings) -> Context:
    key = secret_key.read_or_create(settings)
    return Context(
        keyring=Keyring(key),
        catalogue=Catalogue(roles.CATALOGUE, roles.DELEGABLE),
        session_policy=SessionPolicy(
            standard=Limits(settings.session_absolute, settings.session_idle),
            hipaa=Limits(settings.session_hipaa_absolute, settings.session_hipaa_idle),
            activity_interval=settings.activity_interval,
        ),
        cursors=Sealer(key, "cursors"),
        sign_in_state=Sealer(key, "sign-in state"),
        forms=Sealer(key, "forms of the console"),
        credentials=Sealer(key, "credentials of sign-in providers"),
        outbound=Outbound(
            private_hosts=settings.private_hosts,
            loopback=not settings.production,
            at_once=max(1, settings.web_threads // 2),
        ),
        pace=Pace(settings.redis_url, per_minute=settings.scim_requests_per_minute),
        measures=Measures(
            sign_in=settings.sign_in_requests_per_minute,
            oauth=settings.oauth_requests_per_minute,
            introspection=settings.introspections_per_minute,
        ),
        signing=Sealer(key, signing_keys.PURPOSE),
        notary=Notary(Sealer(key, signing_keys.PURPOSE), Sealer(key, signatures.PURPOSE)),
        audit_retention=settings.audit_retention,
        forwarding=_forwarding(settings, key),
        recorded_answers=Recorded(settings.recorded_answers),
        public_url=settings.public_url,
        post=_post(settings),
        invitation_lifetime=settings.invitation_lifetime,
        invitation_retention=settings.invitation_retention,
        access_token_lifetime=settings.access_token_lifetime,
        signing_key_term=settings.signing_key_term,
        journal_retention=settings.journal_retention,
        token_limits=TokenLimits(longest=settings.token_longest),
        token_retention=settings.token_retention,
        api_requests_per_minute=settings.api_requests_per_minute,
        session_retention=settings.session_retention,
        trusted_proxies=settings.trusted_proxies,
    )


def _forwarding(settings: Settings, key: bytes) -> Means:
    return Means(
        sealer=Sealer(key, means.PURPOSE),
        outbound=Outbound(
            private_hosts=settings.private_hosts, loopback=not settings.production, at_once=_MOST_FORWARDED_AT_ONCE
        ),
        patience=Patience(settings.forwarding_alarm_after, settings.forwarding_give_up_after),
        syslog=None if settings.syslog_url is None else Target.at(settings.syslog_url),
    )


def _post(settings: Settings) -> Carrier:
    if settings.smtp_url is None:
        return Folder(settings.mail_dir, settings.mail_from)
    return Server.at(settings.smtp_url, sender=settings.mail_from)


def _register(app: Flask) -> None:
    journal.init_app(app)
    scim_lane.init_app(app)
    lanes.init_app(app, {authzen.EVALUATION: evaluation.answer, oauth.INTROSPECTION: introspection.answer})
    requests.init_app(app, trusted_proxies=context.of(app).trusted_proxies)
    haste.init_app(app)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(door.blueprint)
    oauth.init_app(app)
    app.register_blueprint(authzen.blueprint)
    app.session_interface = SealedState()
    for page in (link, invitation, oidc, mine, out):
        app.register_blueprint(page.blueprint)
    console.init_app(app)
    api.init_app(app)
    errors.init_app(app)
    if forgotten := guard.unguarded(app):
        raise RuntimeError(f"These routes declare no guard: {', '.join(forgotten)}")


def wsgi() -> Flask:
    """What the web server calls: the application of the environment's settings."""
    found = settings.load(os.environ)
    app = create_app(found)
    nudge.warm_up(app)
    shedding.init_app(app, at_once=found.web_threads, waiting=found.web_waiting)
    # What was made until here stays for good: a collector that looks through all of it stops a request for 0.1 s.
    gc.collect()
    gc.freeze()
    return app
