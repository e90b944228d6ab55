"""The files of the console: one style sheet, one script, and htmx."""

from __future__ import annotations

from pathlib import Path

from provisioning.web.assets import Shelf

_HERE = Path(__file__).parent
SHELF = Shelf(
    "/console/-/files",
    _HERE / "static" / "console.css",
    _HERE / "static" / "console.js",
    _HERE / "static" / "icon.svg",
    _HERE / "vendor" / "htmx" / "htmx.min.js",
)
