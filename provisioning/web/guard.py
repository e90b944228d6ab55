"""Who is asking, and whether the engine was asked.

Every route declares what guards it, when it is registered: `public`, a connection's credential, an API token with an
action, or a session. An application with a route that declares nothing refuses to start.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, Response, after_this_request, g, request
from werkzeug.datastructures import Authorization
from werkzeug.exceptions import HTTPException

from provisioning.access import facts, rules
from provisioning.access.rules import Facts, Resource
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import Connection, reading, transaction
from provisioning.directory import looks
from provisioning.directory.connections import ConnectionView
from provisioning.directory.looks import Look
from provisioning.outbox import Actor
from provisioning.pace import Measure
from provisioning.prepared import Row
from provisioning.refusals import NotAllowed, PutOff, Refusal, TooManyRequests, Unauthenticated
from provisioning.sessions import lifecycle
from provisioning.sessions.rules import Standing, Verdict, verdict
from provisioning.tokens import clients, ranges, standing
from provisioning.tokens.clients import ClientView
from provisioning.tokens.standing import TokenView
from provisioning.web import bearers, cookie

P = ParamSpec("P")
T = TypeVar("T")

_GUARD = "_provisioning_guard"
PAUSE_SECONDS = 300
# Stands in the environment of a request that was counted before it came to its view. No header does.
COUNTED = "provisioning.counted"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in, at this moment."""

    standing: Standing
    verdict: Verdict


def declare(view: Callable[P, T], guarded_by: str) -> Callable[P, T]:
    """Write down what guards a route, for `unguarded` to find."""
    setattr(view, _GUARD, guarded_by)
    return view


def public(view: Callable[P, T]) -> Callable[P, T]:
    """Declare a route that anybody may ask."""
    return declare(view, "public")


def by_client(view: Callable[P, T]) -> Callable[P, T]:
    """Declare a route whose clients the OAuth door makes out itself (RFC 6749, section 2.3)."""
    return declare(view, "client")


def refuse_paused(found: ConnectionView) -> None:
    """Put a connection off whose admin has paused it.

    Raises:
        PutOff: so it is.
    """
    if found.paused_at is not None:
        raise PutOff("An admin has paused this connection: it goes on later.", retry_after=PAUSE_SECONDS)


def by_connection(
    view: Callable[P, T], look: Callable[P, Look | None] = lambda *_args, **_kwargs: None
) -> Callable[P, T]:
    """Declare a route that takes the bearer credential of a connection; the view finds it in `connection()`.

    Args:
        view: of the route.
        look: of the view's arguments, what is read along with the credential, for `looked_up`. Whatever is wrong with a
            request it leaves to the view: only who may ask is told.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        g.connection = found = _connection_of(_bearer(), look(*args, **kwargs))
        with _heard_out():
            refuse_paused(found)
            _refuse_haste(found)
        return view(*args, **kwargs)

    return declare(guarded, "connection")


def _connection_of(token: str, look: Look | None) -> ConnectionView:
    digest = context().keyring.recognise(token, Kind.CONNECTION)
    found = None
    if digest is not None:
        with reading() as database:
            found, g.looked_up = looks.by_credential(database, digest, look)
            if found is not None:
                looks.note_use(database, of=found, digest=digest, address=request.remote_addr)
    if found is None:
        raise Unauthenticated("This bearer token is unknown, has expired or was replaced.")
    return found


@contextmanager
def _heard_out() -> Iterator[None]:
    """Read all that is being sent by somebody known before they are refused.

    A web server hangs up on what nobody has read, and who is still sending it then may never see the answer (RFC 9112,
    section 9.6), nor when to come again. For strangers nobody waits.
    """
    try:
        yield
    except Refusal:
        with suppress(HTTPException):
            request.get_data()
        raise


def _refuse_haste(found: ConnectionView) -> None:
    """Each connection has a measure of its own, so that one never holds up another."""
    if request.environ.get(COUNTED) == found.id:
        return
    wait = context().pace.take(str(found.id), found.requests_per_minute)
    if wait is not None:
        raise TooManyRequests("This connection asks more than is answered in a minute: slow down.", retry_after=wait)


def by_token(action: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare a route that takes an API token whose policies allow the action in its workspace."""
    return _guarded(action, lambda facts: rules.decide(facts, action).allowed)


def by_token_somewhere(action: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare a route that takes an API token whose policies allow the action on some resource.

    Which ones it is about stands in the request: the view has each of them judged by `require`.
    """
    return _guarded(action, lambda facts: any(grant.role.allows(action) for grant in facts.grants))


def _guarded(action: str, allows: Callable[[Facts], bool]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    def declaring(view: Callable[P, T]) -> Callable[P, T]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            asking = program("api")
            if not allows(asking.facts):
                raise _lacking(action)
            g.token, g.facts, g.actor = asking.who, asking.facts, asking.actor
            return view(*args, **kwargs)

        return declare(guarded, f"token: {action}")

    return declaring


def _lacking(action: str) -> NotAllowed:
    return NotAllowed(f"This token's policies do not allow {action}, or its owner may not do so.", action=action)


def require(action: str, resource: Resource) -> None:
    """Refuse what the token that is asking may not do on a resource.

    Raises:
        NotAllowed: its policies do not allow the action there.
    """
    if not rules.decide(g.facts, action, resource).allowed:
        raise _lacking(action)


def held() -> Facts:
    """What the token that is asking has."""
    found: Facts = g.facts
    return found


def by_session(view: Callable[P, T]) -> Callable[P, T]:
    """Declare a route for people who are signed in; the view finds them in `person()`. Being there is activity."""
    return _of_session(view, admit, "session")


def by_session_watching(view: Callable[P, T]) -> Callable[P, T]:
    """Declare a route that a page of somebody who is signed in asks by itself: that is no activity of theirs."""
    return _of_session(view, recognise, "session watching")


def _of_session(view: Callable[P, T], admitting: Callable[[Connection], Person], guarded_by: str) -> Callable[P, T]:
    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        with reading() as database:
            admitting(database)
        renew_where_due()
        return view(*args, **kwargs)

    return declare(guarded, guarded_by)


def admit(database: Connection) -> Person:
    """Judge the session that the browser has brought; being there is activity.

    Raises:
        Unauthenticated: there is none, or it has ended.
    """
    found, policy = recognise(database), context().session_policy
    noted = lifecycle.record_activity(database, standing=found.standing, policy=policy)
    g.person = Person(noted, verdict(noted, policy))
    return person()


def recognise(database: Connection) -> Person:
    """Judge the session that the browser has brought, for what is asked without the person's doing.

    Raises:
        Unauthenticated: there is none, or it has ended.
    """
    digest = context().keyring.recognise(cookie.brought(), Kind.SESSION)
    if digest is None:
        raise Unauthenticated("You are not signed in.")
    judged, standing = lifecycle.judge(database, digest=digest, policy=context().session_policy)
    if standing is None or not judged.active:
        raise Unauthenticated("Your session has ended.", reason=judged.reason, workspace=judged.workspace)
    g.person = Person(standing, judged)
    g.actor = Actor("person", str(standing.user_id), request_id())
    return person()


def renew_where_due() -> None:
    """Give the browser a new text for its session where the person's privileges have changed."""
    if person().standing.renewal_due:
        _renew(person().standing)


def _renew(standing: Standing) -> None:
    """Give the browser a new text for its session, for whoever has got hold of the one before."""
    secret = context().keyring.mint(Kind.SESSION)
    with transaction() as database:
        if not lifecycle.renew(database, standing=standing, digest=secret.digest, by=g.actor):
            return

    @after_this_request
    def give(response: Response) -> Response:
        if not cookie.is_set(response):
            cookie.give(response, secret.text)
        return response


def _bearer() -> str:
    """The credential of `Authorization: Bearer` (RFC 6750, section 2.1); never one from the address."""
    header: Authorization | None = request.authorization
    if header is None or header.type != "bearer" or not header.token:
        raise Unauthenticated("Send the token as `Authorization: Bearer <token>`.")
    return header.token


def _by_api_token() -> Program:
    digest = context().keyring.recognise(_bearer(), Kind.API_TOKEN)
    known = None
    if digest is not None:
        with reading() as database:
            known = bearers.by_secret(database, digest, catalogue=context().catalogue)
            if known is not None:
                _refuse_foreign(known[0])
                standing.note_use(database, token=known[0], address=request.remote_addr)
    if known is None:
        raise Unauthenticated("This bearer token is unknown, has expired or was revoked.")
    found, held, _ = known
    with _heard_out():
        measured(request.environ.get(bearers.MEASURED) or bearers.count(found, context()))
    return Program(found, held, Actor("token", str(found.id), request_id()))


def _refuse_foreign(found: TokenView) -> None:
    """The client's address is that of the last proxy which is believed; see `web.requests`."""
    if not ranges.allow(found.ranges, request.remote_addr):
        _log.warning("API token %s was sent from an address out of its ranges", found.id)
        raise NotAllowed("This token may not be used from your address.", action="token.use")


def measured(measure: Measure) -> None:
    """Tell in the answer how much may still be asked; refuse what is too much.

    Raises:
        TooManyRequests: this one was.
    """

    @after_this_request
    def tell(response: Response) -> Response:
        response.headers.update(bearers.rates(measure))
        return response

    if measure.is_exceeded:
        raise TooManyRequests(
            "More is asked than is answered in a minute: slow down.",
            retry_after=measure.seconds,
            consumedPoints=measure.asked,
            remainingPoints=measure.left,
            msBeforeNext=measure.seconds * 1000,
        )


@dataclass(frozen=True, slots=True)
class Program:
    """An API token, or the OAuth client whose access token was sent, and what its access rests on."""

    who: TokenView | ClientView
    facts: Facts
    actor: Actor


_BY_ACCESS_TOKEN = facts.with_policies(clients.BY_ACCESS_TOKEN, "client")


def program(scope: str) -> Program:
    """The program whose bearer token was sent: an API token, or an access token that is for this.

    Raises:
        Unauthenticated: it is neither, or has ended.
        NotAllowed: the access token is for something else.
    """
    digest = context().keyring.recognise(_bearer(), Kind.ACCESS_TOKEN)
    if digest is None:
        return _by_api_token()
    with reading() as database:
        known = facts.held_by(database, _BY_ACCESS_TOKEN, {"digest": digest}, catalogue=context().catalogue)
    if known is None:
        raise Unauthenticated("This access token is unknown, has expired or was revoked.")
    found = clients.access_token(known[0])
    with _heard_out():
        measured(context().pace.measure("client", str(found.client.id), context().api_requests_per_minute))
    if scope not in found.scopes:
        raise NotAllowed(f"This access token is not for {scope}.")
    return Program(found.client, known[1], Actor("client", str(found.client.id), request_id()))


def looked_up() -> Row | None:
    """What was read along with the credential of the connection; None where there was no such row, or no look."""
    found: Row | None = g.looked_up
    return found


def has_connection() -> bool:
    """Whether the credential of a connection was made out."""
    return "connection" in g


def connection() -> ConnectionView:
    """The connection that is asking."""
    found: ConnectionView = g.connection
    return found


def token() -> TokenView | ClientView:
    """The API token that is asking, or the OAuth client whose access token it is."""
    found: TokenView | ClientView = g.token
    return found


def api_token() -> TokenView:
    """The API token that is asking, where nothing else will do.

    Raises:
        NotAllowed: an OAuth client asks: its access tokens are short-lived, and what it made would not be.
    """
    found = g.token
    if not isinstance(found, TokenView):
        raise NotAllowed("An OAuth client gives no credentials, to itself or others.", action="token.create")
    return found


def person() -> Person:
    """The person who is asking."""
    found: Person = g.person
    return found


def actor() -> Actor:
    """Whoever is asking, as facts record them."""
    found: Actor = g.actor
    return found


_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def request_id() -> str | None:
    """The id that the caller gave the request, if it is one that can be stored and shown."""
    return storable(request.headers.get("X-Request-Id", ""))


def storable(given: str) -> str | None:
    """A request's id, if it is one that can be stored and shown."""
    return given if _REQUEST_ID.fullmatch(given) else None


def unguarded(app: Flask) -> list[str]:
    """The routes of an application that declare no guard."""
    views = app.view_functions
    return sorted(
        rule.rule for rule in app.url_map.iter_rules() if not _declared(views[rule.endpoint], rule.methods or set())
    )


def _declared(view: Any, methods: set[str]) -> bool:
    if hasattr(view, _GUARD):
        return True
    view_class = getattr(view, "view_class", None)
    handled = [getattr(view_class, method.lower(), None) for method in methods - {"HEAD", "OPTIONS"}]
    return bool(handled) and all(hasattr(handler, _GUARD) for handler in handled)
