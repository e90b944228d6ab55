"""Every environment variable that the service reads, as data: name, form, bounds, and what turning it does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(fields.Field[timedelta]):
    """A length of time: whole seconds, or a number with a unit (`90s`, `15m`, `12h`, `7d`)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> timedelta:  # noqa: ARG002 - marshmallow's signature
        text = str(value).strip().lower()
        digits, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
        if not digits.isascii() or not digits.isdigit():
            raise ValidationError(f"is not a length of time: {value!r} (write 90s, 15m, 12h or 7d)")
        try:
            return timedelta(seconds=int(digits) * _UNITS[unit])
        except (OverflowError, ValueError):
            raise ValidationError("is longer than any clock can count") from None


class Url(fields.String):
    """An address whose scheme is one of those named; the old `postgres://` is accepted and mended."""

    def __init__(self, *schemes: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.schemes = schemes

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs)).strip().rstrip("/")
        if text.startswith("postgres://"):
            text = "postgresql://" + text.removeprefix("postgres://")
        scheme = text.split("://", 1)[0] if "://" in text else ""
        if scheme not in self.schemes:
            raise ValidationError(f"must begin with {' or '.join(s + '://' for s in self.schemes)}")
        if scheme == "postgresql":
            return "postgresql+psycopg" + text.removeprefix("postgresql")
        return text


class Names(fields.Field[tuple[str, ...]]):
    """Names with commas between them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002 - marshmallow's signature
        return tuple(name.strip().lower() for name in str(value).split(",") if name.strip())


class MailServer(Url):
    """The address of a mail server; `?starttls=off` is the only thing that may be said of it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("smtp", "smtps", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        parts = urlsplit(text)
        try:
            known = bool(parts.hostname) and parts.port != 0 and parts.query in {"", "starttls=off"}
        except ValueError:
            known = False
        if not known or parts.path or parts.fragment:
            raise ValidationError("must be smtp://user:password@host:port, or smtps://, with ?starttls=off at most")
        return text


class SyslogReceiver(Url):
    """The address of a syslog receiver: transport, host, and a port where it is not the usual one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("syslog+tls", "syslog+tcp", "syslog+udp", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        parts = urlsplit(text)
        try:
            known = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        except ValueError:
            known = False
        if not known or parts.path or parts.query or parts.fragment:
            raise ValidationError("must be syslog+tls://host:port, syslog+tcp:// or syslog+udp://, and nothing else")
        return text


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: the `Settings` field that it fills, its form, and what an operator should know of it."""

    name: str
    setting: str
    form: fields.Field[Any]
    default: str | None
    about: str
    secret: bool = False


def _between(low: timedelta, high: timedelta) -> validate.Range:
    return validate.Range(min=low, max=high, error=f"must lie between {low} and {high}")


def _number(low: int, high: int) -> fields.Integer:
    return fields.Integer(validate=validate.Range(min=low, max=high, error=f"must lie between {low} and {high}"))


_SENDER = re.compile(r"(?:[\w .-]+ <[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)\Z")
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "PROVISIONING_MODE",
        "mode",
        fields.String(
            validate=validate.OneOf(["development", "production"], error="must be development or production")
        ),
        "development",
        "In production nothing is made up: a missing secret key, database or broker refuses to start.",
    ),
    Variable(
        "PROVISIONING_SECRET_KEY",
        "secret_key",
        fields.String(validate=validate.Length(min=32, error="must have at least 32 characters")),
        None,
        "Keys the hashes of all tokens; changing it ends them all, and `sign-in set` has to be done anew. In"
        " development one is made in the data folder.",
        secret=True,
    ),
    Variable(
        "DATABASE_URL",
        "database_url",
        Url("postgresql", "postgresql+psycopg"),
        None,
        "PostgreSQL 14 or newer. Without it `provisioning up` runs its own from the data folder.",
        secret=True,
    ),
    Variable(
        "PROVISIONING_DATABASE_POOLER",
        "database_pooler",
        fields.String(validate=validate.OneOf(["none", "transaction"], error="must be none or transaction")),
        "none",
        "`transaction` where DATABASE_URL leads to a pooler such as PgBouncer in transaction mode: nothing is prepared,"
        " and limits of time are the database role's.",
    ),
    Variable(
        "REDIS_URL",
        "redis_url",
        Url("redis", "rediss", "unix", "amqp", "amqps", "sentinel"),
        None,
        "The broker of the workers. Without it `provisioning up` runs its own.",
        secret=True,
    ),
    Variable(
        "PROVISIONING_DATA_DIR",
        "data_dir",
        fields.String(validate=validate.Length(min=1, error="must name a folder")),
        ".data",
        "Where the embedded servers keep their data, and a development key is kept.",
    ),
    Variable("PROVISIONING_HOST", "host", fields.String(), "127.0.0.1", "The address that the web server listens on."),
    Variable("PROVISIONING_PORT", "port", _number(1, 65535), "8000", "The port that the web server listens on."),
    Variable(
        "PROVISIONING_BASE_URL",
        "base_url",
        Url("http", "https"),
        None,
        "What clients call this service; locations and links are built from it, never from a Host header.",
    ),
    Variable(
        "PROVISIONING_TRUSTED_PROXIES",
        "trusted_proxies",
        _number(0, 16),
        "0",
        "How many proxies in front tell in X-Forwarded-* how they were called: SCIM locations follow the last so many."
        " With 0 the headers are not looked at, for anybody could send them.",
    ),
    Variable(
        "PROVISIONING_PRIVATE_HOSTS",
        "private_hosts",
        Names(),
        "",
        "Hosts in private networks, with commas between them, that may be called at addresses which admins type, such"
        " as the company's own identity provider. All others must be public and speak https.",
    ),
    Variable(
        "PROVISIONING_WEB_PROCESSES",
        "web_processes",
        _number(1, 256),
        "2",
        "One for each core. More only costs memory; fewer leaves cores idle.",
    ),
    Variable(
        "PROVISIONING_WEB_THREADS",
        "web_threads",
        _number(1, 64),
        "4",
        "How many requests a web process works on at once. More bears slow clients better; fewer makes short requests"
        " faster.",
    ),
    Variable(
        "PROVISIONING_WEB_WAITING",
        "web_waiting",
        _number(0, 1000),
        "64",
        "How many more requests wait in a web process, for five seconds at most, before others are turned away with"
        " 503. More bears greater bursts; fewer answers sooner what is let in.",
    ),
    Variable(
        "PROVISIONING_SESSION_ABSOLUTE",
        "session_absolute",
        Duration(validate=_between(_SECOND, 90 * _DAY)),
        "7d",
        "A standard session ends this long after sign-in. Longer is kinder to people and to thieves alike.",
    ),
    Variable(
        "PROVISIONING_SESSION_IDLE",
        "session_idle",
        Duration(validate=_between(_SECOND, 90 * _DAY)),
        "7d",
        "A standard session ends after this long without activity.",
    ),
    Variable(
        "PROVISIONING_SESSION_HIPAA_ABSOLUTE",
        "session_hipaa_absolute",
        Duration(validate=_between(_SECOND, _DAY)),
        "12h",
        "A HIPAA user's session ends this long after sign-in, at the latest.",
    ),
    Variable(
        "PROVISIONING_SESSION_HIPAA_IDLE",
        "session_hipaa_idle",
        Duration(validate=_between(_SECOND, timedelta(hours=1))),
        "15m",
        "A HIPAA user's session ends after this long without activity, in all workspaces.",
    ),
    Variable(
        "PROVISIONING_ACTIVITY_INTERVAL",
        "activity_interval",
        Duration(validate=_between(timedelta(0), timedelta(minutes=2))),
        "30s",
        "Activity is written at most this often: idle limits strike up to this much early, never late.",
    ),
    Variable(
        "PROVISIONING_SWEEP_INTERVAL",
        "sweep_interval",
        Duration(validate=_between(_SECOND, timedelta(minutes=1))),
        "5s",
        "How often facts whose nudge was lost are looked for. Shorter asks the database more often.",
    ),
    Variable(
        "PROVISIONING_EXPIRY_INTERVAL",
        "expiry_interval",
        Duration(validate=_between(_SECOND, timedelta(hours=1))),
        "1m",
        "How often expired sessions and tokens are marked as ended; they are refused from the exact second.",
    ),
    Variable(
        "PROVISIONING_RECONCILE_INTERVAL",
        "reconcile_interval",
        Duration(validate=_between(_SECOND, _DAY)),
        "5m",
        "How often what must hold is proved in the database, with an alarm where it does not.",
    ),
    Variable(
        "PROVISIONING_SCIM_REQUESTS_PER_MINUTE",
        "scim_requests_per_minute",
        _number(1, 1_000_000),
        "60000",
        "How many requests a minute of one connection are answered; more get 429 and are to come again later.",
    ),
    Variable(
        "PROVISIONING_API_REQUESTS_PER_MINUTE",
        "api_requests_per_minute",
        _number(1, 1_000_000),
        "60000",
        "How many requests a minute of one API token or OAuth client are answered; more get 429, to come again later.",
    ),
    Variable(
        "PROVISIONING_TOKEN_LONGEST",
        "token_longest",
        Duration(validate=_between(timedelta(hours=1), 3660 * _DAY)),
        "366d",
        "How long an API token lives at the most; a workspace may allow less. Longer is kinder to thieves.",
    ),
    Variable(
        "PROVISIONING_TOKEN_RETENTION",
        "token_retention",
        Duration(validate=_between(_SECOND, 3660 * _DAY)),
        "90d",
        "How long API tokens that have ended are still listed. The audit trail keeps what became of them.",
    ),
    Variable(
        "PROVISIONING_SIGN_IN_REQUESTS_PER_MINUTE",
        "sign_in_requests_per_minute",
        _number(1, 1_000_000),
        "300",
        "How many requests for sign-in pages one address gets answered in a minute. An office behind one address needs"
        " room for all who come in at nine.",
    ),
    Variable(
        "PROVISIONING_OAUTH_REQUESTS_PER_MINUTE",
        "oauth_requests_per_minute",
        _number(1, 1_000_000),
        "600",
        "How many access tokens one address, and one client, may ask for or revoke in a minute.",
    ),
    Variable(
        "PROVISIONING_INTROSPECTIONS_PER_MINUTE",
        "introspections_per_minute",
        _number(1, 10_000_000),
        "60000",
        "How many tokens one address, and one client, may have introspected in a minute.",
    ),
    Variable(
        "PROVISIONING_ACCESS_TOKEN_LIFETIME",
        "access_token_lifetime",
        Duration(validate=_between(timedelta(minutes=1), 30 * _DAY)),
        "1h",
        "How long access tokens live of clients that have no length of their own. A stolen one is good for as long.",
    ),
    Variable(
        "PROVISIONING_SIGNING_KEY_TERM",
        "signing_key_term",
        Duration(validate=_between(_DAY, 366 * _DAY)),
        "30d",
        "How long a key of the service signs before the next one does; that one is published as long before.",
    ),
    Variable(
        "PROVISIONING_JOURNAL_RETENTION",
        "journal_retention",
        Duration(validate=_between(_SECOND, 3660 * _DAY)),
        "30d",
        "How long the provisioning log keeps what connections asked. Longer costs disk space.",
    ),
    Variable(
        "PROVISIONING_INVITATION_LIFETIME",
        "invitation_lifetime",
        Duration(validate=_between(timedelta(minutes=1), 90 * _DAY)),
        "7d",
        "How long an invitation can be accepted. Longer is kinder to people on holiday, and to whoever finds the mail.",
    ),
    Variable(
        "PROVISIONING_INVITATION_RETENTION",
        "invitation_retention",
        Duration(validate=_between(_SECOND, 3660 * _DAY)),
        "30d",
        "How long an invitation that nobody accepted is shown as expired, and can be sent again, before it is deleted.",
    ),
    Variable(
        "PROVISIONING_SMTP_URL",
        "smtp_url",
        MailServer(),
        None,
        "The mail server, such as `smtp://user:password@mail.corp.example:587` (STARTTLS; without it nothing is sent,"
        " unless `?starttls=off` says so) or `smtps://...` (TLS at once). Without it letters are put into the data"
        " folder, and shown by `provisioning mail`.",
        secret=True,
    ),
    Variable(
        "PROVISIONING_MAIL_FROM",
        "mail_from",
        fields.String(validate=validate.Regexp(_SENDER, error="must be an address, or: A Name <address>")),
        "provisioning@localhost",
        "Whom letters come from: `access@corp.example`, or `Access <access@corp.example>`.",
    ),
    Variable(
        "PROVISIONING_SESSION_RETENTION",
        "session_retention",
        Duration(validate=_between(_DAY, 3660 * _DAY)),
        "90d",
        "How long ended sessions are kept, with the address and browser they came from. The facts of them stay.",
    ),
    Variable(
        "PROVISIONING_AUDIT_RETENTION",
        "audit_retention",
        Duration(validate=_between(90 * _DAY, 7305 * _DAY)),
        "2192d",
        "How long the audit trail keeps facts; six years by default, as HIPAA asks. Their seals stay for good.",
    ),
    Variable(
        "PROVISIONING_SYSLOG_URL",
        "syslog_url",
        SyslogReceiver(),
        None,
        "Where the audit events of all workspaces are sent as syslog (RFC 5424), such as"
        " `syslog+tls://logs.corp.example:6514`; `syslog+tcp://` and `syslog+udp://` are not encrypted.",
    ),
    Variable(
        "PROVISIONING_FORWARDING_ALARM_AFTER",
        "forwarding_alarm_after",
        Duration(validate=_between(_SECOND, 7 * _DAY)),
        "1h",
        "How long a forwarding endpoint fails before its owners are told. Shorter tells them of every restart.",
    ),
    Variable(
        "PROVISIONING_FORWARDING_GIVE_UP_AFTER",
        "forwarding_give_up_after",
        Duration(validate=_between(_SECOND, 90 * _DAY)),
        "5d",
        "How long a forwarding endpoint fails before it is switched off, until an owner switches it on again.",
    ),
    Variable(
        "PROVISIONING_RECORDED_ANSWERS",
        "recorded_answers",
        fields.String(validate=validate.OneOf(["none", "hipaa", "all"], error="must be none, hipaa or all")),
        "hipaa",
        "Of which workspaces the audit trail holds what admins and the operator were told of access, sessions and the "
        "trail: of HIPAA-eligible ones, of all or of none. Such an answer then costs a write.",
    ),
    Variable(
        "PROVISIONING_LOG_LEVEL",
        "log_level",
        fields.String(
            validate=validate.OneOf(
                ["debug", "info", "warning", "error"], error="must be debug, info, warning or error"
            )
        ),
        "info",
        "How much is logged. Secrets are not, at any level.",
    ),
)
