"""Files that pages need: served from here under names that carry their digest, and so kept by browsers for good.

A new content has a new name: nothing that is kept is ever out of date. What others wrote lies in folders with a
`vendor.json` beside it, which says what it is, whose licence it has, and what its digests are.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterator
from pathlib import Path

from flask import Response, send_file

from provisioning.refusals import NotFound

_DIGITS = 12
_FOR_GOOD = "public, max-age=31536000, immutable"


class Shelf:
    """Some files, and the addresses under which they are served.

    Args:
        address: where they are served, without a slash at the end.
        files: each of another name.
    """

    def __init__(self, address: str, *files: Path) -> None:
        self._address = address
        self._names = {file.name: _hashed(file) for file in files}
        self._files = {_hashed(file): file for file in files}

    def address(self, name: str) -> str:
        """Where a file is served."""
        return f"{self._address}/{self._names[name]}"

    def addresses(self) -> Iterator[tuple[str, Path]]:
        """All of them, each with its file."""
        return ((f"{self._address}/{name}", file) for name, file in self._files.items())

    def serve(self, name: str) -> Response:
        """The file of a name that carries its digest.

        Raises:
            NotFound: there is none, or not of this content.
        """
        file = self._files.get(name)
        if file is None:
            raise NotFound("There is no such file: load the page again.")
        response = send_file(file, mimetype=mimetypes.guess_type(file.name)[0], etag=False)
        response.headers["Cache-Control"] = _FOR_GOOD
        return response


def _hashed(file: Path) -> str:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:_DIGITS]
    return f"{file.stem}.{digest}{file.suffix}"
