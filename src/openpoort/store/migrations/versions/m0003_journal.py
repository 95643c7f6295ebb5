"""Tables for journal, Merkle tree, checkpoints."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("select 1")
