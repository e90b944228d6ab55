"""Lines of syslog as receivers read them, over each of the three ways."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning import entropy
from provisioning.audit.trail import Entry
from provisioning.forwarding import syslog
from provisioning.forwarding.wire import Target
from tests.mail_server import certificate

AT = datetime(2026, 11, 26, 5, 6, 7, 89, tzinfo=UTC)
ENTRY = Entry(
    entropy.new_id(), AT, "member.added", "operator", None, "member", 'a"b\\c]d é', "Ann", {"x": "é\n"}, "r-1"
)
CHAIN = entropy.new_id()
# RFC 5424, section 6: the header, one element of structured data, the message.
_LINE = re.compile(
    r"<(?P<pri>\d{1,3})>1 (?P<at>\S+) (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) (?P<proc>[!-~]{1,128})"
    r" (?P<msgid>[!-~]{1,32}) \[(?P<sd>[!-~]{1,32})"
    r'(?P<params>(?: [!-~]{1,32}="(?:\\["\\\]]|[^"\\\]])*")*)\] (?P<msg>.*)',
    re.DOTALL,
)
_PARAMETER = re.compile(r' ([^=]+)="((?:\\["\\\]]|[^"\\\]])*)"')


@dataclass(frozen=True)
class Line:
    """A line that was parsed."""

    header: dict[str, str]
    about: dict[str, str]
    told: dict


def parsed(written: bytes) -> Line:
    found = _LINE.fullmatch(written.decode())
    assert found, written
    about = {name: re.sub(r'\\(["\\\]])', r"\1", value) for name, value in _PARAMETER.findall(found["params"])}
    return Line(found.groupdict(), about, json.loads(found["msg"]))


def unframed(stream: bytes) -> list[bytes]:
    """The lines of a stream (RFC 6587, section 3.4.1)."""
    lines = []
    while stream:
        count, _, rest = stream.partition(b" ")
        lines.append(rest[: int(count)])
        assert len(lines[-1]) == int(count)
        stream = rest[int(count) :]
    return lines


def test_a_line_has_the_header_the_data_and_the_event():
    line = parsed(syslog.line(ENTRY, chain=CHAIN, host="access.corp.example"))
    header = {name: line.header[name] for name in ("pri", "at", "host", "app", "proc", "msgid", "sd")}
    assert header == {
        "pri": "109",
        "at": "2026-11-26T05:06:07.000089Z",
        "host": "access.corp.example",
        "app": "provisioning",
        "proc": "-",
        "msgid": "member.added",
        "sd": "audit@32473",
    }
    assert line.about == {
        "id": str(ENTRY.id),
        "type": "member.added",
        "workspaceId": str(CHAIN),
        "actor": "operator",
        "resourceType": "member",
        "resourceId": 'a"b\\c]d é',
        "requestId": "r-1",
    }
    assert (line.told["details"], line.told["workspaceId"]) == ({"x": "é\n"}, str(CHAIN))
    assert line.header["msg"].isascii()


def test_what_is_too_long_for_the_header_is_cut_there_and_whole_elsewhere():
    name = "workspace.owners_by_mapping_changed"
    line = parsed(syslog.line(replace(ENTRY, name=name), chain=CHAIN, host=""))
    assert (line.header["msgid"], line.header["host"]) == (name[:32], "-")
    assert line.about["type"] == line.told["type"] == name


LINES = [syslog.line(replace(ENTRY, id=entropy.new_id()), chain=CHAIN, host="h") for _ in range(300)]


class Collector(threading.Thread):
    """A receiver of one connection after another."""

    def __init__(self, server: socket.socket, *, tls: ssl.SSLContext | None, rude: bool, says_goodbye: bool) -> None:
        super().__init__(daemon=True)
        self.server, self.tls, self.rude, self.says_goodbye = server, tls, rude, says_goodbye
        self.streams: list[bytes] = []

    def run(self) -> None:
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            with peer:
                self._collect(peer)

    def _collect(self, peer: socket.socket) -> None:
        try:
            taken = peer if self.tls is None else self.tls.wrap_socket(peer, server_side=True)
            with taken:
                if self.rude:
                    taken.recv(10)
                    # What was not read makes the system break the connection.
                    return
                self.streams.append(b"".join(iter(lambda: taken.recv(65536), b"")))
                if self.tls is not None and self.says_goodbye:
                    taken.unwrap()
        except (ConnectionError, ssl.SSLError):
            return


@contextmanager
def collecting(
    *, tls: Path | None = None, rude: bool = False, says_goodbye: bool = True
) -> Iterator[tuple[Target, Collector]]:
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
    with socket.create_server(("127.0.0.1", 0)) as server:
        collector = Collector(server, tls=context, rude=rude, says_goodbye=says_goodbye)
        collector.start()
        scheme = "tcp" if tls is None else "tls"
        yield Target.at(f"syslog+{scheme}://127.0.0.1:{server.getsockname()[1]}"), collector
        server.shutdown(socket.SHUT_RDWR)
    collector.join(10)


def test_over_tcp_lines_are_framed_and_all_are_read():
    with collecting() as (target, collector):
        target.send(LINES)
        assert [unframed(stream) for stream in collector.streams] == [LINES]


@pytest.mark.parametrize("says_goodbye", [True, False])
def test_over_tls_lines_are_framed_and_all_are_read(says_goodbye, tmp_path, monkeypatch):
    trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with collecting(tls=trusted, says_goodbye=says_goodbye) as (target, collector):
        target.send(LINES)
        assert [unframed(stream) for stream in collector.streams] == [LINES]


def test_whom_nobody_trusts_hears_nothing(tmp_path):
    with collecting(tls=certificate(tmp_path)) as (target, collector):
        with pytest.raises(OSError, match="certificate"):
            target.send(LINES)
        assert collector.streams == []


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_receiver_that_breaks_off_has_not_taken_it(encrypted, tmp_path, monkeypatch):
    trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with collecting(tls=trusted if encrypted else None, rude=True) as (target, _), pytest.raises(OSError):  # noqa: PT011 - whatever the system calls it
        target.send(LINES)


def test_over_udp_each_line_is_a_datagram_and_none_is_too_long():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        target = Target.at(f"syslog+udp://127.0.0.1:{receiver.getsockname()[1]}")
        large = syslog.line(replace(ENTRY, payload={"x": "x" * 100_000}), chain=CHAIN, host="h")
        target.send([LINES[0], large])
        assert parsed(receiver.recv(70_000)).about["id"] == parsed(LINES[0]).about["id"]
        assert receiver.recv(70_000) == large[:60_000]


def test_the_usual_ports_are_those_of_the_standards():
    ports = {scheme: Target.at(f"{scheme}://h").port for scheme in ("syslog+tls", "syslog+tcp", "syslog+udp")}
    assert ports == {"syslog+tls": 6514, "syslog+tcp": 601, "syslog+udp": 514}
