"""Watchlists, views, drawings and preferences."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _document("watchlists", sa.Column("name", sa.String(80), nullable=False), unique=("user_id", "name"))
    _document("views", sa.Column("name", sa.String(80), nullable=False), unique=("user_id", "name"))
    _document(
        "drawings",
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        unique=("user_id", "symbol"),
    )
    _document("preferences", unique=("user_id",))


def downgrade() -> None:
    for table in ("preferences", "drawings", "views", "watchlists"):
        op.drop_table(table)


def _document(table: str, *columns: sa.Column[object], unique: tuple[str, ...]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("format", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        *columns,
        sa.UniqueConstraint(*unique, name=f"uq_{table}_user_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{table}_user_id_users", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
