"""EPCIS events of what partners announced."""

from collections import Counter
from collections.abc import Iterator

from contract.epc import identify
from gateway import records
from gateway.epcis.events import (
    AggregationEvent,
    Destination,
    Disposition,
    EpcisEvent,
    Quantity,
    Source,
    TransactionEvent,
)
from gateway.epcis.names import Names, tag, tags
from gateway.epcis.observed import documents, quantities, when
from gateway.records import LogRow


def asn_received(names: Names, row: LogRow, asn: records.AsnReceived) -> Iterator[EpcisEvent]:
    """What a partner announced: which objects belong to the despatch advice, and which stand on which pallet."""
    told_by = documents(names, asn.id, asn.order)
    cases, amounts = tags(case.epc for case in asn.cases), _unnamed(names, asn)
    disposition: Disposition | None = "returned" if asn.purpose == "return" else None
    if cases or amounts:
        whence, whither = _ends(names, asn)
        yield TransactionEvent(
            **when(row),
            action="ADD",
            disposition=disposition,
            biz_transaction_list=told_by,
            source_list=whence,
            destination_list=whither,
            epc_list=cases,
            quantity_list=amounts,
        )
    for parent, children in _pallets(asn).items():
        yield AggregationEvent(
            **when(row),
            action="OBSERVE",
            parent_id=parent,
            child_epcs=children,
            disposition=disposition,
            biz_transaction_list=told_by,
        )


def _ends(names: Names, asn: records.AsnReceived) -> tuple[tuple[Source, ...], tuple[Destination, ...]]:
    partner = names.party(asn.partner)
    if asn.direction == "inbound":
        return (
            (Source(type="possessing_party", source=partner),),
            (Destination(type="location", destination=names.site),),
        )
    return (
        (Source(type="location", source=names.site),),
        (Destination(type="possessing_party", destination=partner),),
    )


def _unnamed(names: Names, asn: records.AsnReceived) -> tuple[Quantity, ...]:
    """Units that the lines announce beyond the cases that are named by their EPCs."""
    named = Counter(identify(case.epc).gtin for case in asn.cases)
    amounts: Counter[str] = Counter()
    for line in asn.lines:
        gtin = names.gtin(line.sku)
        units = max(line.units, 0)
        told = min(named[gtin], units) if gtin is not None else 0
        named[gtin] -= told
        amounts[names.product(line.sku, line.lot)] += units - told
    return quantities(amounts)


def _pallets(asn: records.AsnReceived) -> dict[str, tuple[str, ...]]:
    """URIs of cases by that of the pallet they travel on."""
    found: dict[str, dict[str, None]] = {}
    for case in asn.cases:
        parent, child = tag(case.sscc) if case.sscc else None, tag(case.epc)
        if parent is not None and child not in (None, parent):
            found.setdefault(parent, {})[child] = None
    return {parent: tuple(children) for parent, children in found.items()}
