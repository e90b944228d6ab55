"""Requests that go out never become a way into the network that the service stands in."""

from __future__ import annotations

import socket
import threading

import pytest
import requests

from provisioning.outbound import ForbiddenAddress, Outbound

STRICT, HERE = Outbound(), Outbound(loopback=True)


@pytest.mark.parametrize(
    "address",
    [
        "http://public.example/",
        "ftp://public.example/",
        "file:///etc/passwd",
        "https:///nowhere",
        "https://user:secret@public.example/",
        "http://127.0.0.1/",
        "",
        "javascript:alert(1)",
    ],
)
def test_what_is_not_https_to_somewhere_may_not_be_called(address):
    assert not STRICT.allows(address)


@pytest.mark.parametrize(
    "peer",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "0.1.2.3",
        ),
        *("::1", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::"),
    ],
)
def test_who_answers_from_a_private_network_is_not_spoken_to(peer):
    assert not STRICT.allows_peer("public.example", peer)
    assert Outbound(private_hosts=["Keycloak.corp.internal"]).allows_peer("keycloak.corp.internal", peer)


@pytest.mark.parametrize("peer", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_who_answers_from_the_public_network_is(peer):
    assert STRICT.allows_peer("public.example", peer)


def test_the_peer_is_judged_whatever_its_name_says_and_hears_nothing():
    """A name that leads here, as one does that was changed between the look and the call."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def listen() -> None:
            peer, _ = server.accept()
            with peer:
                heard.append(peer.recv(100))

        listener = threading.Thread(target=listen)
        listener.start()
        with requests.Session() as session:
            STRICT.guard(session)
            with pytest.raises(ForbiddenAddress):
                session.get(f"https://localhost:{port}/", timeout=5)
        listener.join(timeout=5)
    assert heard == [b""]


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with requests.Session() as session, socket.create_server(("127.0.0.1", 0)) as server:
        HERE.guard(session)
        port = server.getsockname()[1]

        def answer() -> None:
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        assert session.get(f"http://127.0.0.1:{port}/", timeout=5).status_code == 204
        answering.join(timeout=5)
