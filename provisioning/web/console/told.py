"""Facts of the trail as sentences: who did what to whom, and what it was before and is after, where the fact tells it.

A fact that has no words here is told by its name: nothing of the trail is ever left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from provisioning.access.rules import Scope
from provisioning.audit.trail import Entry
from provisioning.directory.names import Named
from provisioning.web.console import shown

# What comes behind whoever did it. Names in braces are fields of the fact; ids are told as what they mean.
PREDICATES: Mapping[str, str] = {
    "access_request.approved": "approved that {member_id} gets the role {role} on {scope}",
    "access_request.closed": "closed the request of {member_id} for the role {role}: they have it in another way",
    "access_request.created": "asked for the role {role} on {scope}: {why}",
    "access_request.denied": "denied {member_id} the role {role} on {scope}",
    "access_token.issued": "gave an OAuth client an access token for {scope}",
    "access_token.revoked": "revoked an access token of an OAuth client",
    "answer.given": "was told of {about}",
    "api_token.changed": "changed the API token {token_name}: it is taken from {ranges}",
    "api_token.expired": "ended an API token, whose time had come",
    "api_token.expiring": "told that the API token {token_name} ends within {days} days",
    "api_token.forgotten": "took the ended API token {token_name} off the list",
    "api_token.issued": "made the API token {token_name}, which ends {expires_at}",
    "api_token.leaked": "revoked the API token {token_name}, which was found in the open",
    "api_token.overlap_ended": "ended the former secret of the API token {token_name}",
    "api_token.revoked": "revoked an API token: {reason}",
    "api_token.rotated": "gave the API token {token_name} a new secret",
    "api_token.shortened": "let the API token {token_name} end earlier, {expires_at}",
    "connection.changed": "changed the connection {connection_id}",
    "connection.client_secret_issued": "gave the connection {connection_id} a client secret",
    "connection.created": "made the connection {connection_name} ({dialect})",
    "connection.held_changes_settled": "settled {count} changes that were held back of the connection {connection_id}",
    "connection.mass_change": "held back a change of {count} of {of} members by the connection {connection_id}",
    "connection.secret_leaked": "closed the connection {connection_id}, whose secret was found in the open",
    "connection.sessions_outdated": "had the sessions of the connection {connection_id} judged anew",
    "connection.token_revoked": "revoked the token of the connection {connection_id}",
    "connection.token_rotated": "gave the connection {connection_id} a new token",
    "event.parked": "gave up on the work that {event_name} calls for, after {attempts} attempts ({error})",
    "event.replayed": "had the work that {event_name} calls for done again",
    "forwarding_endpoint.changed": "changed what is told to {origin}",
    "forwarding_endpoint.disabled": "stopped telling {origin} what happens: {because} ({error})",
    "forwarding_endpoint.failing": "could not tell {origin} what happens, since {failing_since} ({error})",
    "forwarding_endpoint.recovered": "could tell {origin} what happens again",
    "forwarding_endpoint.registered": "had what happens told to {origin}",
    "forwarding_endpoint.removed": "had nothing told to {origin} any more",
    "forwarding_endpoint.replayed": "had {origin} told again what happened since {since}",
    "forwarding_endpoint.secret_rotated": "gave {origin} a new secret to check what it is told by",
    "group.added": "added the group {display_name}",
    "group.detached": "made {display_name} a local group, which {connection_id} pushed",
    "group.invitations_changed": "changed which invitations the group {group_id} waits for",
    "group.members_awaited": "named members of the group {group_id} who are not there yet: {names}",
    "group.members_changed": "changed who is in the group {group_id}",
    "group.removed": "removed the group {display_name}",
    "group.updated": "changed {attributes} of the group {group_id}",
    "identity.linked": "linked {member_id} to an identity of {connection_id}, by {by_what}",
    "invariants.broken": "found what should never be: {counts}",
    "invitation.accepted": "accepted the invitation to {email}",
    "invitation.created": "invited {email}",
    "invitation.expired": "let the invitation to {email} end",
    "invitation.resent": "sent the invitation to {email} again",
    "invitation.revoked": "took back the invitation to {email}",
    "label.created": "made the label {label}",
    "label.deleted": "deleted the label {label}",
    "label.renamed": "called the label {was} {label}",
    "mapping.changed": "changed {changed} of the mapping {mapping_id}",
    "mapping.created": "made the mapping {mapping_id}: {rule}",
    "mapping.deleted": "deleted the mapping that meant {rule}",
    "mapping_proposal.confirmed": "confirmed the proposed mapping {rule}",
    "mapping_proposal.created": "proposed the mapping {rule}, which another owner has to confirm",
    "mapping_proposal.declined": "declined the proposed mapping {rule}",
    "mapping_proposal.expired": "let the proposed mapping {rule} go, for nobody confirmed it",
    "mappings.ordered": "put the mappings into another order",
    "member.activated": "made {member_id} active again",
    "member.added": "added {member_id} to the workspace, by {origin}",
    "member.owner_appointed": "made {member_id} an owner",
    "member.owner_demoted": "made {member_id} no owner any more",
    "member.protected": "put {member_id} out of the identity providers' reach",
    "member.removed": "removed {member_id} from the workspace",
    "member.suspended": "suspended {member_id}",
    "member.unprotected": "put {member_id} within the identity providers' reach again",
    "member.updated": "changed {attributes} of {member_id}",
    "oauth_client.created": "made the OAuth client {client_name}",
    "oauth_client.key_added": "added the key {kid} of a {holder}",
    "oauth_client.key_removed": "removed the key {kid} of a {holder}",
    "oauth_client.removed": "removed an OAuth client",
    "oauth_client.secret_added": "gave an OAuth client another secret",
    "oauth_client.secret_leaked": "closed an OAuth client, whose secret was found in the open",
    "oauth_client.secret_removed": "took a secret from an OAuth client",
    "policy.created": "gave {given_to} the role {role} on {scope}",
    "policy.deleted": "took the role {role} on {scope} from {given_to}",
    "policy.expired": "ended the role {role} on {scope} of {given_to}, whose time had come",
    "policy.handed_over": "handed the role {role} on {scope} over to {given_to}",
    "resources.labelled": "changed the labels of resources",
    "resources.registered": "registered {resources}",
    "resources.removed": "removed {resources}",
    "role.changed": "changed the role {role}",
    "role.created": "made the role {role}, which allows {actions}",
    "role.deleted": "deleted the role {role}",
    "schema.changed": "changed the schema {urn}",
    "schema.registered": "registered the schema {urn}",
    "schema.removed": "removed the schema {urn}",
    "session.begun": "began a session of {user_id} ({policy})",
    "session.ended": "ended a session of {user_id}: {reason}",
    "session.renewed": "renewed a session of {user_id}",
    "session.revoked": "revoked a session of {user_id}",
    "sessions.cleared": "cleared sessions away: {reason}",
    "sign_in.refused": "refused a sign-in by {connection_id}: {reason}",
    "sign_in_domains.set": "let {connection_id} vouch for addresses of {domains}",
    "sign_in_link.issued": "made a sign-in link for {user_id}",
    "sign_in_link.leaked": "closed a sign-in link of {user_id}, which was found in the open",
    "sign_in_provider.removed": "ended sign-in by {connection_id}",
    "sign_in_provider.set": "let people sign in by {connection_id} ({issuer})",
    "sign_out.by_provider": "ended {sessions} sessions, as the identity provider of {connection_id} said",
    "signing_keys.rotated": "let the key {current} sign from now on",
    "syslog.replayed": "had syslog told again what happened since {since}",
    "user.sessions_outdated": "had the sessions of {user_id} judged anew: {reason}",
    "workspace.created": "made the workspace {slug}",
    "workspace.deleted": "deleted the workspace {slug}",
    "workspace.drift_changed": "found another difference between identity providers and workspace: {counts}",
    "workspace.hipaa_eligibility_changed": "set whether the workspace is HIPAA-eligible: {hipaa_eligible}",
    "workspace.last_owner_lost": "took the last owner, {member_id}, from the workspace",
    "workspace.longest_token_changed": "set how long API tokens may live: {seconds} seconds",
    "workspace.owners_by_mapping_changed": "set whether mappings may give ownership: {allowed}",
    "workspace.session_limits_changed": "set how long sessions live: {idle_seconds} seconds without activity, "
    "{absolute_seconds} in all",
}
_ACTORS = {
    "connection": "The connection",
    "token": "The API token",
    "client": "The OAuth client",
    "person": "The person",
    "invitation": "Whoever was invited",
    "operator": "The operator",
    "system": "The service",
}
_MOST = 5
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+(\+00:00|Z)")


@dataclass(frozen=True, slots=True)
class Change:
    """What something was, or is: what went and what came; None where the fact doesn't tell it."""

    what: str
    before: str | None
    after: str | None


class Teller:
    """Tells facts, with what ids mean.

    Args:
        names: what is known of the ids in them.
    """

    def __init__(self, names: Mapping[UUID, Named]) -> None:
        self._names = names

    def sentence(self, entry: Entry) -> str:
        """A fact as a sentence."""
        predicate = PREDICATES.get(entry.name, f"told {entry.name.replace('_', ' ')}")
        said = {name: self._value(name, value) for name, value in entry.payload.items()}
        return f"{self.actor(entry)} {predicate.format_map(_Known(said))}."

    def details(self, entry: Entry) -> str:
        """The fact itself, as JSON that people read."""
        return orjson.dumps(entry.payload, option=orjson.OPT_INDENT_2).decode()

    def actor(self, entry: Entry) -> str:
        """Who did it."""
        if entry.actor_email:
            return entry.actor_email
        kind, _, identifier = entry.actor.partition(":")
        told = self._told(identifier)
        called = _ACTORS.get(kind, kind)
        return f"{called} {told}" if identifier else called

    def changes(self, entry: Entry) -> Iterator[Change]:
        """What was before, and what is after, as far as the fact says so."""
        payload = entry.payload
        if "was" in payload:
            after = payload.get("label") or payload.get("given_to")
            yield Change("Name" if "label" in payload else "Given to", self._one(payload["was"]), self._one(after))
        if payload.get("added") or payload.get("removed"):
            yield Change("Of the list", self._many(payload.get("removed")), self._many(payload.get("added")))
        if isinstance(payload.get("labels"), dict):
            for resource, carried in payload["labels"].items():
                yield Change(str(resource), None, ", ".join(carried) or "no labels")
        if isinstance(payload.get("settings"), dict):
            for name, value in payload["settings"].items():
                yield Change(str(name).replace("_", " "), None, self._one(value))

    def _value(self, name: str, value: Any) -> str:
        if name == "rule":
            return shown.condition(str(value))
        if name == "scope" and isinstance(value, dict):
            return shown.scope(Scope.from_json(value))
        if isinstance(value, list):
            return self._many(value) or "nothing"
        if isinstance(value, dict):
            return ", ".join(f"{key}: {count}" for key, count in value.items())
        return self._one(value)

    def _many(self, values: Any) -> str | None:
        if not values:
            return None
        told = [self._one(value) for value in values[:_MOST]]
        more = len(values) - _MOST
        return ", ".join(told) + (f" and {more} more" if more > 0 else "")

    def _one(self, value: Any) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        if value is None:
            return "none"
        text = str(value)
        kind, _, identifier = text.partition(":")
        return f"the {kind} {self._told(identifier)}" if as_id(identifier) else self._told(text)

    def _told(self, text: str) -> str:
        identifier = as_id(text)
        named = None if identifier is None else self._names.get(identifier)
        if named is not None:
            return named.name
        return f"{text[:10]} {text[11:16]} UTC" if _MOMENT.fullmatch(text) else text


class _Known(dict[str, str]):
    """Fields of a fact; one that an older version didn't write is not told."""

    def __missing__(self, name: str) -> str:
        return "something"


def ids_of(entry: Entry) -> Iterator[UUID]:
    """All ids that a fact names."""
    for text in (*entry.payload.values(), entry.actor, entry.resource_id):
        for value in text[:_MOST] if isinstance(text, list) else (text,):
            found = as_id(str(value).rpartition(":")[2])
            if found is not None:
                yield found


def as_id(text: str) -> UUID | None:
    """The id that a text is, if it is one."""
    try:
        return UUID(text) if len(text) == 36 else None  # noqa: PLR2004 - as long as ids are written
    except ValueError:
        return None
