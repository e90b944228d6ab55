"""The table of facts can only grow, and is sealed into chains; only retention drops what is sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_FACT = (
    "id",
    "seq",
    "workspace_id",
    "name",
    "subject",
    "payload",
    "actor_kind",
    "actor_id",
    "request_id",
    "occurred_at",
)
_SEAL = (
    *("workspace_id", "number", "count", "first_seq", "last_seq", "first_at", "last_at", "sealed_at"),
    *("previous", "rows", "hash", "signature"),
)
_REFUSE = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail can only grow: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$
"""
# The one way around: `SET LOCAL provisioning.retention = 'on'` in a transaction of its own, and for sealed rows alone.
_RETENTION = "current_setting('provisioning.retention', true) IS NOT DISTINCT FROM 'on'"


def _changed(columns: tuple[str, ...]) -> str:
    old, new = (", ".join(f"{side}.{column}" for column in columns) for side in ("OLD", "NEW"))
    return f"(({old}) IS DISTINCT FROM ({new}))"


def _refuse(table: str, deed: str, when: str | None = None) -> None:
    condition = f"WHEN ({when})" if when else ""
    each = "STATEMENT" if deed == "TRUNCATE" else "ROW"
    op.execute(
        f"CREATE TRIGGER {table}_refuses_{deed.lower()} BEFORE {deed} ON {table} "
        f"FOR EACH {each} {condition} EXECUTE FUNCTION audit_refuse()"
    )


def upgrade() -> None:
    op.add_column("event", sa.Column("seal_number", sa.BigInteger(), nullable=True))
    unsealed, sealed = sa.text("seal_number IS NULL"), sa.text("seal_number IS NOT NULL")
    op.create_index("ix_event_unsealed", "event", ["workspace_id", "seq"], postgresql_where=unsealed)
    op.create_index("ix_event_sealed", "event", ["workspace_id", "seal_number", "seq"], postgresql_where=sealed)
    op.create_table(
        "audit_seal",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("count", "first_seq", "last_seq")),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("first_at", "last_at", "sealed_at")),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("previous", "rows", "hash")),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("dropped", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "number", name="pk_audit_seal"),
    )
    undropped = sa.text("dropped IS NULL")
    op.create_index("ix_audit_seal_undropped", "audit_seal", ["last_at"], postgresql_where=undropped)
    op.create_table(
        "audit_head",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_audit_head"),
    )
    op.create_table(
        "audit_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public", postgresql.JSONB(), nullable=False),
        sa.Column("voucher", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kid", name="pk_audit_key"),
    )
    op.execute(_REFUSE)
    _refuse("event", "INSERT", "NEW.seal_number IS NOT NULL")
    resealed = "(OLD.seal_number IS NOT NULL AND NEW.seal_number IS DISTINCT FROM OLD.seal_number)"
    _refuse("event", "UPDATE", f"{_changed(_FACT)} OR {resealed}")
    _refuse("event", "DELETE", f"NOT ({_RETENTION} AND OLD.seal_number IS NOT NULL)")
    redropped = f"(OLD.dropped IS DISTINCT FROM NEW.dropped AND NOT ({_RETENTION} AND OLD.dropped IS NULL))"
    _refuse("audit_seal", "UPDATE", f"{_changed(_SEAL)} OR {redropped}")
    _refuse("audit_key", "UPDATE")
    for table in ("audit_seal", "audit_head", "audit_key"):
        _refuse(table, "DELETE")
    for table in ("event", "audit_seal", "audit_head", "audit_key"):
        _refuse(table, "TRUNCATE")
