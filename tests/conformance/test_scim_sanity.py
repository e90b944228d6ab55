"""scim-sanity's probe of a live server: https://pypi.org/project/scim-sanity."""

from __future__ import annotations

import json
import subprocess
import sys

# Types of resource of an Internet-Draft: it skips them where a server doesn't tell of them.
OF_A_DRAFT = {"Agent CRUD Lifecycle", "AgenticApplication CRUD Lifecycle", "Agent Rapid Lifecycle"}


def test_scim_sanity_finds_nothing_wrong(idp):
    probe = [sys.executable, "-m", "scim_sanity", "probe", f"{idp.base_url}/scim/v2", "--token", idp.token]
    options = ["--strict", "--json-output", "--i-accept-side-effects"]
    done = subprocess.run([*probe, *options], capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    told = json.loads(done.stdout)
    assert (done.returncode, told["issues"]) == (0, []), done.stdout
    assert {one["name"] for one in told["results"] if one["status"] != "pass"} == OF_A_DRAFT
    assert told["summary"]["passed"] >= 28
