"""The tables, and how a database is opened: SQLite by default, PostgreSQL by its URL.

Every change is written under the lock of the one row of `counters`. Its numbers are therefore committed in their own
order, without a gap: a reader that has seen change n will never see a smaller one appear later.
"""

import secrets
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    Engine,
    ForeignKey,
    Index,
    String,
    create_engine,
    event,
    insert,
    select,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cloud.errors import NoDatabase
from contract.replenishment import OrderState

BUSY_S = 30
"""How long a writer waits for another one on SQLite."""
POOL = 20
"""Connections that are kept; as many again are opened under load (the API has 40 threads)."""


class Base(DeclarativeBase):
    """Base of every table."""


class Counter(Base):
    """One row: the numbers that have been given out, and the name of this database's numbering."""

    __tablename__ = "counters"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[str] = mapped_column(String(32))
    change: Mapped[int] = mapped_column(BigInteger)
    order_number: Mapped[int] = mapped_column(BigInteger)


class Request(Base):
    """A replenishment request as it came, once for each key."""

    __tablename__ = "requests"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    body: Mapped[str]
    """JSON of the ReplenishmentRequest."""
    received_us: Mapped[int] = mapped_column(BigInteger)


class Order(Base):
    """A purchase order; exactly one for each request."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("units > 0", name="units_positive"),
        CheckConstraint("state IN ('placed', 'shipped', 'received', 'cancelled')", name="state_known"),
        Index("orders_site_change", "site", "change"),
        Index("orders_state_change", "state", "change"),
    )

    number: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(ForeignKey("requests.key"), unique=True)
    site: Mapped[str] = mapped_column(String(40))
    sku: Mapped[str] = mapped_column(String(100))
    units: Mapped[int]
    supplier: Mapped[str] = mapped_column(String(200))
    state: Mapped[OrderState] = mapped_column(String(20))
    placed_us: Mapped[int] = mapped_column(BigInteger)
    updated_us: Mapped[int] = mapped_column(BigInteger)
    change: Mapped[int] = mapped_column(BigInteger, unique=True)
    """Number of its last change."""


def open_database(url: str) -> Engine:
    """The database at `url`, created if need be and brought to this version's schema; raises `NoDatabase`."""
    try:
        engine = engine_of(url)
        _migrate(engine)
    except (ArgumentError, ImportError, OSError, SQLAlchemyError, CommandError) as error:
        raise NoDatabase(f"database {_shown(url)}: {error}") from error
    return engine


def engine_of(url: str) -> Engine:
    """The engine for a URL, not yet connected."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(
            parsed, pool_pre_ping=True, pool_size=POOL, max_overflow=POOL, isolation_level="READ COMMITTED"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise NoDatabase(f"database {url}: SQLite needs a file, e.g. sqlite:///data/cloud/cloud.db")
    Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_S}, pool_size=POOL, max_overflow=POOL)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin late, and a reader that became a writer could fail
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _migrate(engine: Engine) -> None:
    """Upgrade in one transaction; of several processes that start at once, one does it and the others wait."""
    config = Config()
    config.set_main_option("script_location", "cloud:migrations")
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7417)")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if connection.scalar(select(Counter.id)) is None:
            first = {"id": 1, "epoch": secrets.token_hex(8), "change": 0, "order_number": 0}
            connection.execute(insert(Counter), first)


def _shown(url: str) -> str:
    """A URL without its password."""
    try:
        return make_url(url).render_as_string()
    except ArgumentError:
        return repr(url)
