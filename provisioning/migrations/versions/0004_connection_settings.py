"""What admins set for a connection: paused, rehearsing, strict about members, how fast, how careful."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SWITCHES = {"dry_run": False, "awaits_members": True, "holds_mass_changes": False}


def upgrade() -> None:
    op.add_column("connection", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    for name, default in _SWITCHES.items():
        default_text = sa.text(str(default).lower())
        op.add_column("connection", sa.Column(name, sa.Boolean(), server_default=default_text, nullable=False))
    op.add_column("connection", sa.Column("requests_per_minute", sa.BigInteger(), nullable=True))
    op.add_column("connection", sa.Column("alarm_percent", sa.BigInteger(), server_default="20", nullable=False))
    op.add_column("connection", sa.Column("learned_dialect", sa.Text(), nullable=True))


def downgrade() -> None:
    for name in ("paused_at", *_SWITCHES, "requests_per_minute", "alarm_percent", "learned_dialect"):
        op.drop_column("connection", name)
