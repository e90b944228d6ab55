"""What identity providers really send, story by story: one folder each, readable as documentation.

A story is a list of exchanges, and a look at what is left afterwards. `{name}` stands for what an earlier answer gave.
An expected body is a part of the real one: what is not named is not looked at.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

STORIES = sorted(Path(__file__).parent.glob("*/*.json"))
PROVIDERS = {"okta", "entra", "onelogin", "jumpcloud", "google", "ping", "rippling", "authentik", "keycloak"}


def filled(value: Any, known: dict[str, str]) -> Any:
    """A value with what is known in place of its names."""
    if isinstance(value, str):
        for name, real in known.items():
            value = value.replace(f"{{{name}}}", real)
        return value
    if isinstance(value, list):
        return [filled(one, known) for one in value]
    return {name: filled(one, known) for name, one in value.items()} if isinstance(value, dict) else value


def holds(expected: Any, real: Any) -> bool:
    """Whether the real value has all that is expected."""
    if isinstance(expected, dict):
        return isinstance(real, dict) and all(name in real and holds(one, real[name]) for name, one in expected.items())
    if isinstance(expected, list):
        return isinstance(real, list) and len(real) == len(expected) and all(map(holds, expected, real))
    return type(expected) is type(real) and expected == real


@pytest.mark.parametrize("file", STORIES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_what_is_sent_gets_the_answer_that_is_needed(idp, file):
    story = json.loads(file.read_text())
    known: dict[str, str] = {}
    for exchange in story["exchanges"]:
        send, expect = exchange["send"], exchange["expect"]
        answer = idp.request(
            send["method"],
            filled(send["path"], known),
            filled(send.get("body"), known),
            params=filled(send.get("query"), known),
            headers=send.get("headers", {}),
        )
        told = answer.json() if answer.content else None
        assert answer.status_code == expect["status"], (send, answer.text)
        assert holds(filled(expect.get("body", {}), known), told or {}), (send, answer.text)
        known |= {name: told[attribute] for name, attribute in expect.get("remember", {}).items()}
    for look in story["afterwards"]:
        shown = idp.request("GET", filled(look["path"], known)).json()
        assert holds(filled(look.get("body", {}), known), shown), (look, shown)
        assert [name for name in look.get("absent", []) if name in shown] == []


def test_every_provider_has_stories():
    assert {file.parent.name for file in STORIES} == PROVIDERS
