"""What an endpoint is sent, judged by the library that receivers use."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from provisioning import entropy
from provisioning.audit.trail import Entry
from provisioning.forwarding import messages

NOW = datetime.now(UTC)
ENTRY = Entry(entropy.new_id(), NOW, "member.added", "operator", None, "member", "1", "Ann", {"x": "é"}, None)
OLD, NEW, OTHER = (messages.secret(bytes([number]) * messages.SECRET_BYTES) for number in (1, 2, 3))


def test_each_of_two_secrets_proves_a_message_and_no_other_does():
    signed = messages.sign(messages.of([ENTRY]), secrets=[NEW, OLD], now=datetime.now(UTC))
    for secret in (OLD, NEW):
        verified = Webhook(secret).verify(signed.body, signed.headers)
        assert [event["id"] for event in verified["data"]["events"]] == [str(ENTRY.id)]
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(signed.body, signed.headers)
    assert OLD not in repr(signed)
    assert signed.headers["webhook-signature"] not in repr(signed)


def test_a_message_that_was_changed_or_is_old_is_not_believed():
    now = datetime.now(UTC)
    signed = messages.sign(messages.of([ENTRY]), secrets=[OLD], now=now)
    for name, value in (("webhook-id", "msg_other"), ("webhook-timestamp", str(int(now.timestamp()) + 1))):
        with pytest.raises(WebhookVerificationError):
            Webhook(OLD).verify(signed.body, {**signed.headers, name: value})
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(signed.body.replace(b"Ann", b"Bob"), signed.headers)
    old = messages.sign(messages.of([ENTRY]), secrets=[OLD], now=NOW - timedelta(minutes=6))
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(old.body, old.headers)


def test_the_same_has_the_same_id_and_what_is_not_the_same_has_another():
    another = replace(ENTRY, id=entropy.new_id())
    ids = [messages.of(entries).id for entries in ([ENTRY], [another], [ENTRY, another], [another, ENTRY])]
    assert len(set(ids)) == 4
    assert messages.of([ENTRY, another]) == messages.of([ENTRY, another])
    assert all("." not in identifier for identifier in ids)


def test_a_secret_is_as_the_standard_writes_it():
    assert len(base64.b64decode(OLD.removeprefix("whsec_"), validate=True)) == 32


def test_a_message_holds_a_hundred_events_and_no_more_bytes_than_is_bearable_but_one_at_least():
    assert len(messages.fitting([ENTRY] * 150)) == 100
    large = replace(ENTRY, payload={"x": "x" * 100_000})
    assert len(messages.fitting([large] * 5)) == 2
    assert len(messages.fitting([replace(ENTRY, payload={"x": "x" * 1_000_000}), ENTRY])) == 1
    assert messages.fitting([]) == []
