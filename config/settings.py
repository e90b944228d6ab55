"""The one reader of the environment: variables in, frozen and validated `Settings` out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

from marshmallow import EXCLUDE, Schema, ValidationError

from config.variables import VARIABLES

MASK = "********"


class InvalidSettings(Exception):
    """The environment asks for something that can't be; the text names each variable and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in force for this process. `config/variables.py` says what each value does."""

    mode: str
    secret_key: str | None
    database_url: str | None
    database_pooler: str
    redis_url: str | None
    data_dir: Path
    host: str
    port: int
    base_url: str | None
    trusted_proxies: int
    private_hosts: tuple[str, ...]
    web_processes: int
    web_threads: int
    web_waiting: int
    session_absolute: timedelta
    session_idle: timedelta
    session_hipaa_absolute: timedelta
    session_hipaa_idle: timedelta
    activity_interval: timedelta
    sweep_interval: timedelta
    expiry_interval: timedelta
    reconcile_interval: timedelta
    scim_requests_per_minute: int
    api_requests_per_minute: int
    token_longest: timedelta
    token_retention: timedelta
    sign_in_requests_per_minute: int
    oauth_requests_per_minute: int
    introspections_per_minute: int
    access_token_lifetime: timedelta
    signing_key_term: timedelta
    journal_retention: timedelta
    invitation_lifetime: timedelta
    invitation_retention: timedelta
    smtp_url: str | None
    mail_from: str
    session_retention: timedelta
    audit_retention: timedelta
    syslog_url: str | None
    forwarding_alarm_after: timedelta
    forwarding_give_up_after: timedelta
    recorded_answers: str
    log_level: str

    @property
    def production(self) -> bool:
        """Whether nothing may be made up."""
        return self.mode == "production"

    @property
    def mail_dir(self) -> Path:
        """Where letters are put that no mail server takes."""
        return self.data_dir / "mail"

    @property
    def public_url(self) -> str:
        """What clients call this service: the base URL that is set, else the address listened on."""
        return self.base_url or f"http://{self.host}:{self.port}"


_READER = Schema.from_dict({variable.name: variable.form for variable in VARIABLES})(unknown=EXCLUDE)
_DEMANDED_IN_PRODUCTION = ("PROVISIONING_SECRET_KEY", "DATABASE_URL", "REDIS_URL", "PROVISIONING_BASE_URL")


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings.

    Args:
        environ: the environment's variables; an empty value counts as not set.

    Returns:
        The settings in force.

    Raises:
        InvalidSettings: a value can't be read or lies out of bounds, or production lacks what it needs.
    """
    given = {v.name: environ.get(v.name) or v.default for v in VARIABLES}
    try:
        values = _READER.load({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise InvalidSettings(_sentence(error)) from None
    read = {v.setting: values.get(v.name) for v in VARIABLES}
    settings = Settings(**{**read, "data_dir": Path(values["PROVISIONING_DATA_DIR"]).absolute()})
    if settings.production and (missing := [name for name in _DEMANDED_IN_PRODUCTION if name not in values]):
        raise InvalidSettings(f"{' and '.join(missing)} must be set when PROVISIONING_MODE is production")
    return settings


def masked(settings: Settings) -> dict[str, str | int | None]:
    """What is in force, by variable, with secrets masked: for people to read.

    Returns:
        A value for each variable; lengths of time in seconds, secrets that are set as asterisks.
    """
    shown: dict[str, str | int | None] = {}
    for variable in VARIABLES:
        value = getattr(settings, variable.setting)
        if value is not None and variable.secret:
            shown[variable.name] = MASK
        elif isinstance(value, timedelta):
            shown[variable.name] = int(value.total_seconds())
        elif isinstance(value, tuple):
            shown[variable.name] = ",".join(value)
        else:
            shown[variable.name] = value if isinstance(value, int) or value is None else str(value)
    return shown


def _sentence(error: ValidationError) -> str:
    messages = cast("dict[str, list[str]]", error.messages)
    return "; ".join(f"{name} {' and '.join(m.rstrip('.') for m in texts)}" for name, texts in messages.items())
