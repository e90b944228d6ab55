"""How an answer asks for a pause (RFC 9110, section 10.2.3): in seconds, or until a date in one of three forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provisioning.forwarding.later import asked_pause

NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
        ("Sunday, 06-Nov-94 08:50:37 GMT", 60),
        ("Sun Nov  6 08:50:37 1994", 60),
        ("Sun, 06 Nov 1994 08:48:37 GMT", 0),
        *(
            (wrong, 0)
            for wrong in ("", "-5", "1.5", "soon", "1e3", "\u0661", "9" * 10, "Sun, 99 Nov 1994 08:50:37 GMT")
        ),
    ],
)
def test_a_pause_is_taken_as_the_standard_writes_it_and_nothing_else_is(told, seconds):
    assert asked_pause({"Retry-After": told}, now=NOW) == timedelta(seconds=seconds)


def test_a_date_is_taken_by_the_clock_of_who_wrote_it():
    late = {"Retry-After": "Sun, 06 Nov 1994 08:50:37 GMT", "Date": "Sun, 06 Nov 1994 08:50:07 GMT"}
    assert asked_pause(late, now=NOW) == timedelta(seconds=30)
    assert asked_pause({**late, "Date": "never"}, now=NOW) == timedelta(seconds=60)
    assert asked_pause({}, now=NOW) == timedelta(0)
