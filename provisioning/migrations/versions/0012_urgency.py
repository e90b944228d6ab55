"""Facts wait by urgency; how far long work has come; when the parts of the service were last heard of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")
_OF_BEFORE = {
    "urgent": (
        "connection.sessions_outdated",
        "user.sessions_outdated",
        "workspace.hipaa_eligibility_changed",
    ),
    "letters": (
        "access_request.created",
        "api_token.expiring",
        "api_token.leaked",
        "invitation.created",
        "invitation.resent",
    ),
}
_UNDONE = sa.text("done_at IS NULL AND parked_at IS NULL")


def upgrade() -> None:
    op.add_column("event", sa.Column("urgency", sa.Text(), server_default="housekeeping", nullable=False))
    for urgency, names in _OF_BEFORE.items():
        moved = sa.text("UPDATE event SET urgency = :urgency WHERE done_at IS NULL AND name = ANY(:names)")
        op.execute(moved.bindparams(urgency=urgency, names=list(names)))
    op.drop_index("ix_event_undone", "event")
    op.create_index("ix_event_undone", "event", ["urgency", "due_at"], postgresql_where=_UNDONE)
    op.create_table(
        "progress",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_progress_event_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_progress")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
    )


def downgrade() -> None:
    """Back to one queue. What was noted of long work is lost: it begins anew, which does no harm."""
    op.drop_table("heartbeat")
    op.drop_table("progress")
    op.drop_index("ix_event_undone", "event")
    op.create_index("ix_event_undone", "event", ["due_at"], postgresql_where=_UNDONE)
    op.drop_column("event", "urgency")
