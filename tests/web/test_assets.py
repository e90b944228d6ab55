"""Files that pages need: what was vendored is what its manifest says, and names carry digests for good."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

import provisioning.web

WEB = Path(provisioning.web.__file__).parent
MANIFESTS = sorted(WEB.glob("*/vendor/*/vendor.json"))


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda file: file.parent.name)
def test_what_was_vendored_is_what_its_manifest_says(manifest):
    told = json.loads(manifest.read_text())
    assert set(told) == {"name", "version", "licence", "from", "sha256"}
    assert (manifest.parent / "LICENSE").is_file()
    code = {file.name for file in manifest.parent.iterdir() if file.suffix in {".js", ".css"}}
    assert code == set(told["sha256"])
    for name, digest in told["sha256"].items():
        assert hashlib.sha256((manifest.parent / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize(("page", "least"), [("/docs", 3), ("/sign-in", 2)])
def test_pages_name_files_by_digest_and_browsers_keep_them_for_good(service, http, page, least):
    text = http.get(f"{service.base_url}{page}", timeout=10).text
    files = re.findall(r'(?:href|src)="(/[^"]*/files/[^"]+)"', text)
    assert len(files) >= least
    for file in files:
        served = http.get(f"{service.base_url}{file}", timeout=10)
        assert served.status_code == 200
        assert served.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        digest = hashlib.sha256(served.content).hexdigest()[:12]
        assert f".{digest}." in file
        other = http.get(f"{service.base_url}{file.replace(digest, '0' * 12)}", timeout=10)
        assert other.status_code == 404
