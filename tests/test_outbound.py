"""Requests that go out never become a way into the network that the service stands in."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
        "https://[::1",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/",
        "https://[::ffff:10.0.0.1]/",
    ],
)
def test_what_is_not_https_to_somewhere_may_not_be_called(address):
    assert not STRICT.allows(address)


def test_an_address_that_is_known_to_be_wanted_may_be_called():
    assert Outbound(private_hosts=["10.0.0.1"]).allows("https://10.0.0.1/")
    assert HERE.allows("https://127.0.0.1/")
    assert STRICT.allows("https://93.184.216.34/")


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
        *("::1", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::", "fec0::1"),
        # IPv4 within: by a translator (RFC 6052, RFC 8215), by 6to4, and as it once was written.
        *("64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::1", "::127.0.0.1"),
    ],
)
def test_who_answers_from_a_private_network_is_not_spoken_to(peer):
    assert not STRICT.allows_peer("public.example", peer)
    assert Outbound(private_hosts=["Keycloak.corp.internal"]).allows_peer("keycloak.corp.internal", peer)


@pytest.mark.parametrize("peer", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
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


@contextmanager
def served(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that answers every connection so."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(peer,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        server.shutdown(socket.SHUT_RDWR)


def test_an_answer_that_comes_in_drops_is_cut_off_on_every_call():
    drops, is_cut = [], threading.Event()

    def drip(peer: socket.socket) -> None:
        with peer:
            peer.recv(1000)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" if not drops else b"HTTP/1.1 204 No\r\nX: ")
            # Whatever is asked on this connection from here on is answered in drops.
            if not drops and (drops.append(0) or not peer.recv(1000)):
                return
            try:
                while len(drops) < 200 and not is_cut.wait(0.05):
                    drops.append(len(drops))
                    peer.sendall(b"x")
            except OSError:
                is_cut.set()

    impatient = Outbound(loopback=True, longest_seconds=0.5)
    with requests.Session() as session, served(drip) as address:
        impatient.guard(session)
        assert session.get(address, timeout=5).json() == {}
        with pytest.raises(requests.ConnectionError):
            session.get(address, timeout=5)
        assert is_cut.wait(20)
    assert len(drops) < 200


def test_calls_beyond_those_at_once_are_not_waited_with():
    asked, may_answer = threading.Event(), threading.Event()

    def hold(peer: socket.socket) -> None:
        with peer:
            peer.recv(1000)
            asked.set()
            may_answer.wait(20)
            peer.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    narrow, found = Outbound(loopback=True, at_once=1), []
    with served(hold) as address, requests.Session() as session:
        narrow.guard(session)
        first = threading.Thread(target=lambda: found.append(session.get(address, timeout=5).status_code))
        first.start()
        assert asked.wait(20)
        with requests.Session() as another:
            narrow.guard(another)
            with pytest.raises(requests.ConnectionError, match="Too many"):
                another.get(address, timeout=5)
            may_answer.set()
            first.join(timeout=20)
            assert found == [204]
            assert another.get(address, timeout=5).status_code == 204


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
