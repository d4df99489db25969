from alembic import op
import sqlalchemy as sa

revision = "1"
down_revision = None


def upgrade():
    op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True),
                    sa.Column("status", sa.Text, nullable=False))


def downgrade():
    op.drop_table("orders")
