from alembic import op

revision = "2"
down_revision = "1"


def upgrade():
    op.execute("SELECT ordcancel.attach('orders', status => 'status')")
    op.execute("SELECT ordcancel.set_policy('orders', canceled_status => 'canceled')")
    op.execute("SELECT ordcancel.set_rule('orders', 'placed', merchant => 'cancel')")


def downgrade():
    op.execute("SELECT ordcancel.detach('orders')")
