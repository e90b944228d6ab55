"""What an admin does at each identity provider, in short; the whole of it stands in `docs/identity-providers`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_NAMES = ("name.givenName, name.familyName, displayName", "the person's names")
_WORK = ('emails[type eq "work"].value', "the work address")
_LOGIN = ("userName", "the e-mail address or login: an address makes the person")


@dataclass(frozen=True, slots=True)
class Guide:
    """How one identity provider is set up.

    Args:
        name: as people know it.
        pushes: what it can push.
        steps: what is done there, in order.
        attributes: pairs of a SCIM attribute and what it is filled from there.
    """

    name: str
    pushes: str
    steps: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]


GUIDES: Mapping[str, Guide] = {
    "okta": Guide(
        "Okta",
        "people and groups",
        (
            "In the Admin Console add the app SCIM 2.0 Test App (OAuth Bearer Token) from the catalogue.",
            "On its Provisioning tab press Configure API Integration and tick Enable API Integration.",
            "SCIM 2.0 Base URL is the address above, OAuth Bearer Token is the token.",
            "Press Test API Credentials, then Save.",
            "Under To App enable Create Users, Update User Attributes and Deactivate Users.",
            "Assign people on Assignments; choose groups on Push Groups.",
        ),
        (_LOGIN, _NAMES, _WORK, ("externalId", "Okta's user id, as preset")),
    ),
    "entra": Guide(
        "Microsoft Entra ID",
        "people and groups",
        (
            "In the Entra admin center make an enterprise app of your own: any other application, not in the gallery.",
            "Open Provisioning and press New configuration.",
            "Tenant URL is the address above, as it is; Secret Token is the token.",
            "Press Test Connection, then Create.",
            "Assign people or groups under Users and groups.",
            "Under Attribute mapping map objectId to externalId, as matching precedence 2.",
            "Press Start provisioning on the Overview. It runs about every 40 minutes.",
        ),
        (
            ("userName", "userPrincipalName, as matching precedence 1"),
            ("externalId", "objectId, not mailNickname as preset, which changes"),
            ("active", "the Switch over IsSoftDeleted, as preset"),
            ('emails[type eq "work"].value', "mail"),
        ),
    ),
    "google": Guide(
        "Google Workspace",
        "people; it pushes no groups",
        (
            "In the Admin console add a catalogue app that offers automatic provisioning with an endpoint of your own.",
            "Set up its single sign-on, which Google asks for first, and switch the app on under User access.",
            "Choose Configure autoprovisioning: Access token is the token, Endpoint URL is the address above.",
            "Map attributes, limit the scope if you wish, and choose the deprovisioning delays.",
            "Switch Autoprovisioning to Active. It runs every few hours.",
        ),
        (_LOGIN, _NAMES, _WORK),
    ),
    "onelogin": Guide(
        "OneLogin",
        "people, and groups by rules",
        (
            "In the Administration portal add the app SCIM Provisioner with SAML (SCIM v2 Enterprise).",
            "On Configuration, SCIM Base URL is the address above, SCIM Bearer Token is the token.",
            "Press Enable under API Connection, and Save.",
            "On Provisioning tick Enable provisioning, and untick the approvals that you don't want.",
            "For groups include Groups on Parameters, and put people into them on Rules.",
            "On Access give the app to roles.",
        ),
        (
            ("userName", "the parameter scimusername"),
            _NAMES,
            _WORK,
            ("externalId", "{$user.id}, added to the template"),
        ),
    ),
    "jumpcloud": Guide(
        "JumpCloud",
        "people and groups",
        (
            "In the Admin Portal add a custom application that exports users to it (Identity Management).",
            "On Identity Management choose SCIM 2.0: Base URL is the address above, Token Key is the token.",
            "Test User Email is an address that nobody here has. Tick the management of groups.",
            "Press Test Connection, then Activate, then Save.",
            "On User Groups select the groups whose people are to come.",
        ),
        (("userName", "JumpCloud's username"), _NAMES, ("emails", "the e-mail address")),
    ),
    "ping": Guide(
        "PingFederate and PingOne",
        "people and groups",
        (
            "PingOne: add a provisioning connection of the kind SCIM Outbound.",
            "SCIM base URL is the address above; Authentication method is OAuth 2 Bearer Token, with the token.",
            "Press Test Connection, finish, and switch the connection on.",
            "Make a rule from your directory to it, choose groups, and switch it on.",
            "PingFederate: the same in Outbound Provisioning of an SP connection, with SCIM version 2.0.",
        ),
        (("userName", "the attribute by which people are matched"), _NAMES, _WORK, ("externalId", "a stable id")),
    ),
    "rippling": Guide(
        "Rippling",
        "people and groups",
        (
            "Under IT, Third-Party Access, add an integration of your own for User Management via SCIM.",
            "SCIM Version is 2.0, SCIM base URL is the address above, the method is Bearer Token.",
            "Tick Supports Groups, Supports Pagination, Create & Delete Groups and Use PATCH to edit Groups.",
            "Add externalId, emails.primary and the names to the supported attributes.",
            "Press Install now, and paste the token where it is asked for.",
            "Set App Access Rules and Provision Time.",
        ),
        (_LOGIN, _NAMES, ("emails", "the primary address"), ("externalId", "Rippling's id, if it is supported")),
    ),
    "authentik": Guide(
        "authentik",
        "people and groups",
        (
            "In the Admin interface make a new provider: SCIM Provider.",
            "URL is the address above, Token is the token, SCIM Compatibility Mode is Default.",
            "Keep the preset property mappings, and choose groups under the group filters.",
            "Add the provider to your application under Backchannel providers.",
            "Bind a group or people to the application: without any binding everybody comes.",
            "Press Run sync again.",
        ),
        (
            ("userName", "the username; a mapping to the address makes the person"),
            ("displayName", "the name"),
            ('emails[type eq "other"].value', "the address, as preset"),
            ("externalId", "authentik's hashed id, as preset"),
        ),
    ),
    "keycloak": Guide(
        "Keycloak",
        "people and groups, by an extension",
        (
            "Put a SCIM extension into Keycloak's providers folder, and run kc.sh build.",
            "Under Realm settings, Events, add the event listener scim.",
            "Under User federation add the provider scim: the endpoint is the address above, the token its password.",
            "Leave the propagation of users and groups on, and switch Enable refresh during sync on.",
            "Synchronize all users once.",
        ),
        (
            ("userName", "the username, or the address"),
            _NAMES,
            ("emails", "the address"),
            ("externalId", "its user id"),
        ),
    ),
    "other": Guide(
        "Another SCIM client",
        "people and groups, by SCIM 2.0",
        (
            "Give it the address above, and the token as Authorization: Bearer.",
            "Let it read /ServiceProviderConfig, /ResourceTypes and /Schemas.",
            "Create people, then groups; a group may also come first and name people by their externalId.",
        ),
        (_LOGIN, _NAMES, _WORK, ("externalId", "your stable id of the person"), ("active", "false suspends")),
    ),
}
