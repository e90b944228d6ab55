"""As whom PostgreSQL runs: it refuses root, so root becomes somebody else for it, changing nothing outside."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from provisioning.embedded.binaries import Unavailable

# Any id but 0 does: outside of its namespace the process stays what it is.
_INSIDE = 1000


@dataclass(frozen=True, slots=True)
class Identity:
    """What stands before a command, and as which user and group it is started (None: as ours)."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    def own(self, folder: Path) -> None:
        """Make a folder and all in it the identity's own, where that is another user."""
        if self.user is None or self.group is None:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.user, self.group)


def unprivileged() -> Identity:
    """Who may run PostgreSQL here.

    Not root: ourselves. Root: ourselves in a user namespace, which needs no rights on any folder; where the machine
    forbids those, the user `nobody`.

    Raises:
        Unavailable: root, and neither way is there.
    """
    if os.geteuid() != 0:
        return Identity()
    prefix = ("unshare", "--user", f"--map-user={_INSIDE}", f"--map-group={_INSIDE}")
    if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:  # noqa: S603 - a fixed command
        return Identity(prefix)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise Unavailable("PostgreSQL does not run as root: start as another user, or set DATABASE_URL") from None
    return Identity(user=nobody.pw_uid, group=nobody.pw_gid)
