"""Opening a ledger: read the folded state from its tables, or fold the log again."""

import hashlib
from pathlib import Path

import msgspec

from gateway import records
from gateway.ledger import exceptions, fold
from gateway.ledger.group import apply
from gateway.ledger.house import House
from gateway.ledger.state import State
from gateway.ledger.store import Store

_OPEN_OR_LATE = f"""
    body ->> 'open' OR key IN (
        SELECT key FROM exceptions WHERE NOT body ->> 'open'
        ORDER BY body ->> 'updated_us' DESC, key DESC LIMIT {exceptions.KEPT_RESOLVED}
    )
"""


def open_store(path: Path, house: House) -> tuple[Store, State]:
    """The file and its state. When the item master changed, the log is folded again: tags may stand for other SKUs."""
    state = State(house)
    store = Store(path, [table.name for table in state.tables])
    try:
        master = _fingerprint(house)
        if store.meta("item_master") not in (None, master):
            state = refold(store, house)
            store.replace(state.tables)
            exceptions.trim(state)
        else:
            _load(store, state)
        store.note("item_master", master)
    except BaseException:
        store.close()
        raise
    return store, state


def refold(store: Store, house: House) -> State:
    """The state that the whole log gives; nothing is written."""
    state = State(house)
    for row in store.all_rows():
        apply(state, row, records.decode(row.body))
    return state


def _load(store: Store, state: State) -> None:
    for table in state.tables:
        where = _OPEN_OR_LATE if table.name == "exceptions" else "1"
        table.load(iter(store.stored(table.name, where)))
    fold.reindex(state)


def _fingerprint(house: House) -> str:
    """Of what decides the SKU of a tag."""
    master = sorted((item.gtin, item.sku) for item in house.site.items)
    return hashlib.sha256(msgspec.json.encode(master)).hexdigest()
