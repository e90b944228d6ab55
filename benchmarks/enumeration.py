"""Whether the time of an answer tells what its text does not: who is there, and which credentials once were."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import requests
from click.testing import CliRunner

from provisioning.app import create_app
from provisioning.cli.main import provisioning
from provisioning.cli.service import settings_of
from provisioning.context import context
from provisioning.credentials import Kind
from tests.service import Service, start

_UNLIMITED = {
    f"PROVISIONING_{door}_PER_MINUTE": "1000000"
    for door in ("SIGN_IN_REQUESTS", "INTROSPECTIONS", "OAUTH_REQUESTS", "API_REQUESTS")
}
Ask = Callable[[], requests.Response]


def main() -> None:
    """Ask the two questions of each pair in chance order, and print how often the one that knows took longer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=2000)
    wanted = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as folder, start(Path(folder), **_UNLIMITED) as service:
        found = {name: _compare(*pair, wanted) for name, pair in _pairs(service).items()}
    sys.stdout.write(orjson.dumps({"pairs": wanted, "longer": found}).decode() + "\n")


def _pairs(service: Service) -> Mapping[str, tuple[Ask, Ask]]:
    """By what is asked: the request about something that is there, and its twin about something that is not."""
    run = _command(service)
    for slug in ("one", "other"):
        run("workspace", "create", "--slug", slug, "--name", slug)
    run("member", "add", "ann@one.example", "--workspace", "one")
    run("connection", "create", "--workspace", "one", "--name", "idp")
    terms = ("--issuer", "https://idp.one.example", "--client-id", "x")
    run("sign-in", "set", "idp", "--workspace", "one", *terms)
    run("sign-in", "domains", "idp", "one.example", "--workspace", "one")
    with create_app(settings_of(str(service.data_dir))).app_context():
        unknown = context().keyring.mint(Kind.API_TOKEN).text
    owner = ("--name", "t", "--role", "workspace-owner")
    there = run("token", "create", "--workspace", "one", *owner)
    ended = run("token", "create", "--workspace", "one", *owner)
    run("token", "revoke", ended["id"], "--workspace", "one")
    client = run("client", "create", "--workspace", "other", *owner)
    http = requests.Session()

    def sign_in(email: str) -> Ask:
        return lambda: http.post(f"{service.base_url}/sign-in", data={"email": email}, allow_redirects=False)

    def introspect(token: str) -> Ask:
        proof = (client["id"], client["secret"])
        return lambda: http.post(f"{service.base_url}/oauth/introspect", data={"token": token}, auth=proof)

    def users(token: str) -> Ask:
        return lambda: http.get(f"{service.base_url}/api/users", headers={"Authorization": f"Bearer {token}"})

    return {
        "signing in as somebody who is there": (sign_in("ann@one.example"), sign_in("bob@one.example")),
        "introspecting another workspace's token": (introspect(there["token"]), introspect(unknown)),
        "using a token that was revoked": (users(ended["token"]), users(unknown)),
    }


def _command(service: Service) -> Callable[..., Any]:
    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(provisioning, [*arguments, "--data-dir", str(service.data_dir), "--json"])
        if done.exit_code != 0:
            sys.exit(done.output)
        return orjson.loads(done.stdout)

    return run


def _compare(there: Ask, not_there: Ask, pairs: int) -> float:
    """In what share of all combinations the first took longer: 0.5 where the times tell nothing."""
    took: tuple[list[float], list[float]] = ([], [])
    asks = (there, not_there)
    for ask in asks * 50:
        ask()
    for _ in range(pairs):
        told: dict[int, requests.Response] = {}
        for side in random.sample((0, 1), 2):
            begun = time.perf_counter()
            told[side] = asks[side]()
            took[side].append(time.perf_counter() - begun)
        if (told[0].status_code, told[0].content) != (told[1].status_code, told[1].content):
            sys.exit(f"the answers differ: {told[0].text!r} and {told[1].text!r}")
    return round(_share_longer(*took), 3)


def _share_longer(first: Sequence[float], second: Sequence[float]) -> float:
    """The probability that one of the first exceeds one of the second (the U statistic of Mann and Whitney, scaled)."""
    ordered = sorted([(value, 1) for value in first] + [(value, 0) for value in second])
    below = 0
    exceeded = 0
    for _, is_first in ordered:
        if is_first:
            exceeded += below
        else:
            below += 1
    return exceeded / (len(first) * len(second))


if __name__ == "__main__":
    main()
