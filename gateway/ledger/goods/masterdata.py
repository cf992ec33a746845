"""Master data in the log: what the site file says of the house, imported products and zones, lots and their expiry."""

from gateway.ledger.goods import inventory, looks, stock
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import LogRow
from gateway.records.stockrecords import LotDescribed, LotExpired, ProductsImported, SiteDescribed, ZonesImported

PREMISES = "site"
"""The only key of the table `premises`."""


def described(state: State, row: LogRow, told: SiteDescribed) -> None:
    """The site file says something else than before."""
    moved = state.house.learn(told)
    looks.described(state)
    state.premises.put(PREMISES, told)
    _relabel(state, moved)
    _show_all(state)


def products(state: State, row: LogRow, record: ProductsImported) -> None:
    """Somebody imported lines of the item master."""
    moved = state.house.import_products(record.products)
    for product in record.products:
        state.products.put(product.sku, product)
    _relabel(state, moved)
    _show_all(state)


def zones(state: State, row: LogRow, record: ZonesImported) -> None:
    """Somebody imported zones."""
    state.house.import_zones(record.zones)
    for zone in record.zones:
        state.zones.put(zone.name, zone)


def lot_described(state: State, row: LogRow, record: LotDescribed) -> None:
    """Somebody says when a lot expires."""
    expiry(state, record.sku, record.lot, record.expires, row.recorded_us)


def lot_expired(state: State, row: LogRow, record: LotExpired) -> None:
    """The last day of a lot is over, if nobody has said another one meanwhile."""
    lot = stock.lot_of(state, record.sku, record.lot)
    if lot.expires != record.expires or lot.expired:
        return
    _turn(state, record.sku, record.lot, row.recorded_us, expired=True)
    units = expired_units(state, record.sku, record.lot)
    if units:
        subject = f"{record.sku} {record.lot}"
        figures = {"sku": record.sku, "lot": record.lot, "expires": record.expires}
        exceptions.begin(state, "expired", subject, row.recorded_us, units, figures)


def expired_units(state: State, sku: str, lot: str) -> int:
    """Units of a lot that are still in the house."""
    keys = state.index.bins_of_lot.get(lot, set()) & state.index.bins_of_sku[sku]
    return sum(found.units for found in (state.bins.rows[key] for key in keys) if found.zone)


def expiry(state: State, sku: str, lot: str | None, expires: str | None, now_us: int) -> None:
    """A document says when a lot expires. Nothing said changes nothing."""
    if lot is None or expires is None:
        return
    known = stock.lot_of(state, sku, lot)
    if known.expires == expires and not known.derived:
        return
    known.expires, known.derived = expires, False
    state.stocklots.touch(stock.lot_key(sku, lot))
    if known.expired:  # on another day: whoever watches the calendar says so again
        _turn(state, sku, lot, now_us, expired=False)
        exceptions.end(state, "expired", f"{sku} {lot}", now_us, "another expiry was told")


def restore(state: State, first: SiteDescribed | None) -> None:
    """After a start: the house is what the tables say; `first`, what was known before the log told of it."""
    told = state.premises.get(PREMISES) or first
    if told is not None:
        state.house.learn(told)
    state.house.import_products(state.products.rows.values())
    state.house.import_zones(state.zones.rows.values())


def _turn(state: State, sku: str, lot: str, now_us: int, *, expired: bool) -> None:
    known = stock.lot_of(state, sku, lot)
    keys = state.index.bins_of_lot.get(lot, set()) & state.index.bins_of_sku[sku]
    was = {key: stock.standing(state, state.bins.rows[key]) for key in keys}
    known.expired = expired
    (state.index.expired_lots.add if expired else state.index.expired_lots.discard)((sku, lot))
    state.stocklots.touch(stock.lot_key(sku, lot))
    stock.restate(state, keys, now_us, was)


def _relabel(state: State, gtins: set[str]) -> None:
    """These GTINs stand for another SKU than before: their items, and the stock that they are, go there."""
    if not gtins:
        return
    left = set()
    for epc, item in state.items.rows.items():
        sku = state.house.tag(epc).sku
        if sku is not None and sku != item.sku:
            left.add(item.sku or "")
            inventory.labelled(state, epc, sku=sku)
    for sku in left - state.house.products.keys():
        stock.forget(state, sku)


def _show_all(state: State) -> None:
    """Titles and reorder points may be others; stock that ran low by them is asked for."""
    for sku in state.house.products:
        state.position_moved(sku)
