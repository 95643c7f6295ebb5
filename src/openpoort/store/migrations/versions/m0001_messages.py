"""Tables for messages, processes, statuses, jobs."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("select 1")
