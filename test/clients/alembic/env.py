from alembic import context
import sqlalchemy as sa

target_metadata = sa.MetaData()
sa.Table("orders", target_metadata,
         sa.Column("id", sa.Integer, primary_key=True),
         sa.Column("status", sa.Text, nullable=False))


def include_object(object, name, type_, reflected, compare_to):
    table = name if type_ == "table" else object.table.name
    return not table.endswith(("_cancellation", "_cancellation_event"))


with sa.create_engine("postgresql+psycopg2://").connect() as connection:
    context.configure(connection=connection, target_metadata=target_metadata, include_object=include_object)
    with context.begin_transaction():
        context.run_migrations()
