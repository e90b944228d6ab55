from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from config import secret_key
from config.settings import MASK, InvalidSettings, load, masked
from config.variables import VARIABLES

PRODUCTION = {
    "PROVISIONING_MODE": "production",
    "PROVISIONING_SECRET_KEY": "s" * 32,
    "DATABASE_URL": "postgresql://u:hidden-word@db/p",
    "REDIS_URL": "redis://:hidden-word@broker/0",
    "PROVISIONING_BASE_URL": "https://access.corp.example/",
    "PROVISIONING_SMTP_URL": "smtp://u:hidden-word@mail.corp.example:587",
}


def test_without_any_variable_the_documented_limits_are_in_force():
    settings = load({})
    assert settings.session_absolute == timedelta(days=7)
    assert settings.session_hipaa_idle == timedelta(minutes=15)
    assert settings.session_hipaa_absolute == timedelta(hours=12)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROVISIONING_PORT", "70000"),
        ("PROVISIONING_PORT", "http"),
        ("PROVISIONING_SESSION_IDLE", "soon"),
        ("PROVISIONING_SESSION_HIPAA_IDLE", "2h"),
        ("PROVISIONING_SESSION_HIPAA_IDLE", "0s"),
        ("PROVISIONING_SESSION_ABSOLUTE", "99999999999999999999d"),
        ("PROVISIONING_SECRET_KEY", "short"),
        ("DATABASE_URL", "mysql://db"),
        ("REDIS_URL", "memory://"),
        ("PROVISIONING_MODE", "staging"),
        ("PROVISIONING_LOG_LEVEL", "loud"),
        ("PROVISIONING_INVITATION_LIFETIME", "10s"),
        ("PROVISIONING_INVITATION_LIFETIME", "91d"),
        ("PROVISIONING_INVITATION_RETENTION", "0s"),
        ("PROVISIONING_SMTP_URL", "mail.corp.example:25"),
        ("PROVISIONING_SMTP_URL", "http://mail.corp.example"),
        ("PROVISIONING_SMTP_URL", "smtp://user:password@"),
        ("PROVISIONING_SMTP_URL", "smtp://mail.corp.example:many"),
        ("PROVISIONING_SMTP_URL", "smtp://mail.corp.example:99999"),
        ("PROVISIONING_SMTP_URL", "smtp://mail.corp.example?starttls=maybe"),
        ("PROVISIONING_SMTP_URL", "smtp://mail.corp.example/path"),
        ("PROVISIONING_MAIL_FROM", "nobody"),
        ("PROVISIONING_MAIL_FROM", "Access access@corp.example"),
        ("PROVISIONING_MAIL_FROM", "access@corp.example\nBcc: eve@corp.example"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(name, value):
    with pytest.raises(InvalidSettings, match=name):
        load({name: value})


def test_all_wrong_values_are_named_at_once():
    with pytest.raises(InvalidSettings, match=r"(?s)PROVISIONING_PORT.*PROVISIONING_SWEEP_INTERVAL"):
        load({"PROVISIONING_PORT": "0", "PROVISIONING_SWEEP_INTERVAL": "1d"})


@pytest.mark.parametrize("missing", ["PROVISIONING_SECRET_KEY", "DATABASE_URL", "REDIS_URL", "PROVISIONING_BASE_URL"])
def test_production_refuses_to_start_without(missing):
    with pytest.raises(InvalidSettings, match=missing):
        load({name: value for name, value in PRODUCTION.items() if name != missing})


def test_addresses_are_read_in_the_forms_that_hosts_hand_out():
    assert load({"DATABASE_URL": "postgres://u:p@db/x"}).database_url == "postgresql+psycopg://u:p@db/x"
    assert load(PRODUCTION).public_url == "https://access.corp.example"


def test_what_is_shown_names_every_variable_and_no_secret():
    shown = masked(load(PRODUCTION))
    assert set(shown) == {variable.name for variable in VARIABLES}
    assert shown["DATABASE_URL"] == shown["PROVISIONING_SECRET_KEY"] == MASK
    assert "hidden-word" not in str(shown)


def test_a_development_key_is_made_once_and_is_private(tmp_path: Path):
    settings = load({"PROVISIONING_DATA_DIR": str(tmp_path / "data")})
    key = secret_key.read_or_create(settings)
    assert len(key) >= 32
    assert secret_key.read_or_create(settings) == key
    assert stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode) == 0o600
    other = load({"PROVISIONING_DATA_DIR": str(tmp_path / "other")})
    assert secret_key.read_or_create(other) != key


@pytest.mark.parametrize(("mode", "content"), [(0o644, "k" * 64), (0o600, "cut")])
def test_a_key_that_others_can_read_or_that_is_cut_short_is_refused(tmp_path: Path, mode, content):
    path = tmp_path / "secret.key"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(InvalidSettings, match=r"secret\.key"):
        secret_key.read_or_create(load({"PROVISIONING_DATA_DIR": str(tmp_path)}))
