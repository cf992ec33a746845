"""Requests, the orders that answer them, and the counters."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "counters",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.String(32), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("order_number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "requests",
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "orders",
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("site", sa.String(40), nullable=False),
        sa.Column("sku", sa.String(100), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("supplier", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("placed_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("units > 0", name="units_positive"),
        sa.CheckConstraint("state IN ('placed', 'shipped', 'received', 'cancelled')", name="state_known"),
        sa.ForeignKeyConstraint(["key"], ["requests.key"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("change"),
    )
    op.create_index("orders_site_change", "orders", ["site", "change"])
    op.create_index("orders_state_change", "orders", ["state", "change"])


def downgrade() -> None:
    """Remove them."""
    op.drop_table("orders")
    op.drop_table("requests")
    op.drop_table("counters")
