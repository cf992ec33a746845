"""How alembic runs the steps: on the connection, and in the transaction, of `cloud.db.open_database`."""

from alembic import context

from cloud.db import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
