"""Opening a ledger: read the folded state from its tables, and tell the log what the site file says now.

The state is a function of the log: `refold` finds the same from its rows alone. A log that began before the site file
was told in it (schema 1) has what was told then in `first_told`.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from contract.site import Site
from gateway import records
from gateway.ledger import fold
from gateway.ledger.goods import inventory, masterdata
from gateway.ledger.group import Group, Recorded, apply, written
from gateway.ledger.house import House
from gateway.ledger.state import State
from gateway.ledger.storage.reader import Reader
from gateway.ledger.storage.store import Store
from gateway.ledger.troubles import exceptions
from gateway.records import LogRow
from gateway.records.premises import described
from gateway.records.stockrecords import SiteDescribed

FIRST_TOLD = "first_told"
_PAGE = 10_000
_OPEN_OR_LATE = f"""
    body ->> 'open' OR body ->> 'lasting' OR key IN (
        SELECT key FROM exceptions WHERE NOT body ->> 'open'
        ORDER BY body ->> 'updated_us' DESC, key DESC LIMIT {exceptions.KEPT_RESOLVED}
    )
"""


def open_store(path: Path, site: Site, now_us: int) -> tuple[Store, State]:
    """The file and its state; raises `LedgerFailed`. `now_us` is the record time of what is told of the site file."""
    store = Store(path, [table.name for table in State(House.untold(site)).tables])
    try:
        if store.schema == 1:
            _bring_forward(store, site)
        state = loaded(store, site, all_exceptions=False)
        _tell_site(store, state, site, now_us)
    except BaseException:
        store.close()
        raise
    return store, state


def refold(reader: Reader, site: Site) -> State:
    """The state that a whole log gives; nothing is written."""
    return go_on(beginning(reader, site), reader.all_rows())


def go_on(state: State, rows: Iterable[LogRow]) -> State:
    """Fold further rows into a state."""
    for row in rows:
        apply(state, row, records.decode(row.body))
    return state


def loaded(reader: Reader, site: Site, *, all_exceptions: bool = True) -> State:
    """The state as the tables of a file hold it. Of the resolved exceptions the memory needs only the last."""
    state = State(House.untold(site))
    for table in state.tables:
        where = _OPEN_OR_LATE if table.name == "exceptions" and not all_exceptions else "1"
        table.load(reader.each(table.name, where), inventory.compact if table is state.items else None)
    first = reader.meta(FIRST_TOLD)
    masterdata.restore(state, msgspec.json.decode(first, type=SiteDescribed) if first else None)
    fold.reindex(state)
    return state


def beginning(reader: Reader, site: Site) -> State:
    """The state before the first row of a log that was not cut."""
    first = reader.meta(FIRST_TOLD)
    if first is None:
        return State(House.untold(site))
    return State(House(site, msgspec.json.decode(first, type=SiteDescribed)))


def rebuild(path: Path, site: Site, epoch: str, rows: Iterator[LogRow]) -> None:
    """A new ledger file from the whole log of another one; raises `LedgerFailed`.

    `epoch` is that of the gateway's own rows in it, under which a gateway goes on numbering them.
    """
    state = State(House.untold(site))
    store = Store(path, [table.name for table in state.tables], epoch)
    try:
        page: list[LogRow] = []
        for row in rows:
            if page and row.recorded_us != page[-1].recorded_us and len(page) >= _PAGE:
                _write_page(store, state, page)
                page = []
            apply(state, row, records.decode(row.body))
            page.append(row)
        _write_page(store, state, page)
    finally:
        store.close()


def _write_page(store: Store, state: State, page: list[LogRow]) -> None:
    """Rows and what follows from them."""
    store.write(written(state, page))
    exceptions.trim(state)
    state.shown.clear()
    state.due.clear()


def _tell_site(store: Store, state: State, site: Site, now_us: int) -> None:
    """The site file says something else than the log knows: one row more."""
    told = described(site, now_us)
    if msgspec.structs.replace(state.house.told, at_us=now_us) == told and store.last()[0]:
        return
    last_id, last_us = store.last()
    group = Group(state, last_id, store.epoch, max(now_us, last_us))
    group.add(Recorded([told]))
    _write_page(store, state, group.rows)


def _bring_forward(store: Store, site: Site) -> None:
    """A log of schema 1 is folded anew, by what the site file says now; its rows stay as they are."""
    store.note(FIRST_TOLD, msgspec.json.encode(described(site, 0)).decode())
    state = refold(store, site)
    store.bring_forward(state.tables, state.take_postings())
