"""User, Group and EnterpriseUser (RFC 7643, sections 4.1 to 4.3, and 8.7.1): exactly what is stored."""

from __future__ import annotations

from provisioning.scim.schema import ENTERPRISE_URN, GROUP_URN, USER_URN, Attribute, ResourceType, Schema


def _several(
    name: str,
    description: str,
    *,
    types: tuple[str, ...] = (),
    value: Attribute | None = None,
) -> Attribute:
    """A multi-valued attribute with the standard sub-attributes (RFC 7643, section 2.4)."""
    return Attribute(
        name,
        description,
        "complex",
        multi_valued=True,
        sub_attributes=(
            value or Attribute("value", "The value."),
            Attribute("display", "How the value is shown."),
            Attribute("type", "What the value is for.", canonical_values=types),
            Attribute("primary", "Whether it is the preferred one; true at most once.", "boolean"),
        ),
    )


_NAME = Attribute(
    "name",
    "The parts of the person's name.",
    "complex",
    sub_attributes=(
        Attribute("formatted", "The whole name, as it is shown."),
        Attribute("familyName", "The family name."),
        Attribute("givenName", "The given name."),
        Attribute("middleName", "Middle names."),
        Attribute("honorificPrefix", "Titles before the name."),
        Attribute("honorificSuffix", "What follows the name."),
    ),
)
_ADDRESS_PARTS = (
    ("formatted", "The whole address."),
    ("streetAddress", "Street and number."),
    ("locality", "City."),
    ("region", "State or region."),
    ("postalCode", "Postal code."),
    ("country", "Country."),
)
_ADDRESSES = Attribute(
    "addresses",
    "Postal addresses.",
    "complex",
    multi_valued=True,
    sub_attributes=(
        *(Attribute(name, description) for name, description in _ADDRESS_PARTS),
        Attribute("type", "What the address is for.", canonical_values=("work", "home", "other")),
        Attribute("primary", "Whether it is the preferred one; true at most once.", "boolean"),
    ),
)
_USER_GROUPS = Attribute(
    "groups",
    "The groups that the person is in; changed through the groups.",
    "complex",
    multi_valued=True,
    mutability="readOnly",
    sub_attributes=(
        Attribute("value", "The group's id.", case_exact=True, mutability="readOnly"),
        Attribute("$ref", "The group's address.", "reference", mutability="readOnly", reference_types=("Group",)),
        Attribute("display", "The group's name.", mutability="readOnly"),
        Attribute("type", "How the person belongs.", mutability="readOnly", canonical_values=("direct", "indirect")),
    ),
)
_PHOTO = Attribute("value", "The picture's address.", "reference", case_exact=True, reference_types=("external",))
_CERTIFICATE = Attribute("value", "The certificate, DER in base64.", "binary", case_exact=True)

_USER_SCHEMA = Schema(
    USER_URN,
    "User",
    "A team member",
    (
        Attribute(
            "userName", "The name by which the identity provider knows the person.", required=True, uniqueness="server"
        ),
        _NAME,
        Attribute("displayName", "The name that people see."),
        Attribute("nickName", "What the person is called."),
        Attribute(
            "profileUrl", "A page about the person.", "reference", case_exact=True, reference_types=("external",)
        ),
        Attribute("title", "The person's title."),
        Attribute("userType", "What the person is to the organisation."),
        Attribute("preferredLanguage", "The language that the person prefers."),
        Attribute("locale", "Where the person is, for formats."),
        Attribute("timezone", "The person's time zone."),
        Attribute("active", "Whether the membership is active; a new one is, unless it says otherwise.", "boolean"),
        _several("emails", "E-mail addresses.", types=("work", "home", "other")),
        _several("phoneNumbers", "Telephone numbers.", types=("work", "home", "mobile", "fax", "pager", "other")),
        _several("ims", "Addresses for instant messages."),
        _several("photos", "Pictures of the person.", types=("photo", "thumbnail"), value=_PHOTO),
        _ADDRESSES,
        _USER_GROUPS,
        _several("entitlements", "What the person is entitled to, in the identity provider's words."),
        _several("roles", "The person's roles, in the identity provider's words; mappings may look at them."),
        _several("x509Certificates", "Certificates of the person.", value=_CERTIFICATE),
    ),
)

_ENTERPRISE_SCHEMA = Schema(
    ENTERPRISE_URN,
    "EnterpriseUser",
    "What an enterprise knows of a person",
    (
        Attribute("employeeNumber", "The number of the employment."),
        Attribute("costCenter", "The cost centre."),
        Attribute("organization", "The organisation."),
        Attribute("division", "The division."),
        Attribute("department", "The department."),
        Attribute(
            "manager",
            "The person's manager.",
            "complex",
            sub_attributes=(
                Attribute("value", "The id of the manager's User.", case_exact=True),
                Attribute("$ref", "The address of the manager's User.", "reference", reference_types=("User",)),
                Attribute("displayName", "The manager's name.", mutability="readOnly"),
            ),
        ),
    ),
)

_GROUP_SCHEMA = Schema(
    GROUP_URN,
    "Group",
    "A user group",
    (
        Attribute(
            "displayName", "The name that people see, unique in a connection.", required=True, uniqueness="server"
        ),
        Attribute(
            "members",
            "The people in the group.",
            "complex",
            multi_valued=True,
            sub_attributes=(
                Attribute("value", "The id of the member's User.", case_exact=True, mutability="immutable"),
                Attribute(
                    "$ref",
                    "The address of the member's User.",
                    "reference",
                    mutability="immutable",
                    reference_types=("User",),
                ),
                Attribute("type", "What the member is.", mutability="immutable", canonical_values=("User",)),
            ),
        ),
    ),
)

USER = ResourceType("User", "/Users", "Team members", _USER_SCHEMA, (_ENTERPRISE_SCHEMA,))
GROUP = ResourceType("Group", "/Groups", "User groups", _GROUP_SCHEMA)
