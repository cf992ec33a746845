"""A partner's EPCIS document as drafts of shipments: what its events of shipping and departing say of each despatch
advice (docs/epcis.md).

    ObjectEvent shipping [SSCC 1]      AggregationEvent packing SSCC 1: [case 1, case 2]
             desadv 4711  po 12   ->   shipment 4711, order 12: case 1 on SSCC 1, case 2 on SSCC 1
"""

from collections import Counter
from typing import Final, NamedTuple
from urllib.parse import unquote

from contract.epc_writing import FULL_CASE, UNIT_LOAD, write_sgtin, write_sscc
from contract.errors import BadEpc
from gateway.documents.body import Draft, Location
from gateway.documents.itemmaster import ItemMaster
from gateway.epcis.gs1uri import canonical, parse
from gateway.epcis.names import PRIVATE, document_number, order_number, party_name
from gateway.epcis.nodes import Node, Reader, kind, read
from gateway.epcis.pallets import Pallets
from gateway.errors import BodyMistake

_STEPS: Final = ("shipping", "departing", None)
"""Of several steps of one despatch advice the first of these counts: each tells of the same goods. None: a transaction
event that links goods to a despatch advice, and no more."""
_PIECES: Final = (None, "EA", "C62", "H87")
"""Units of measure that are pieces (UN/CEFACT Recommendation 20); EPCIS says none for pieces."""
_PARTIES: Final = ("possessing_party", "owning_party", "location")


class TagForm(NamedTuple):
    """How the partner's tags are written. Their URIs do not say: a URI is of the thing, and not of its tag."""

    case_filter: int = FULL_CASE
    """TDS 1.13, table 10-2."""
    pallet_filter: int = UNIT_LOAD
    """Table 10-3."""
    prefix_digits: int | None = None
    """Length of the company prefix, for Digital Links; without it these are SGTIN+ and SSCC+."""

    def case(self, gtin: str, serial: str, prefix_digits: int | None) -> str:
        """EPC of a case, in hexadecimal; raises `BadEpc`."""
        return write_sgtin(gtin, serial, prefix_digits or self.prefix_digits, self.case_filter)

    def pallet(self, sscc: str, prefix_digits: int | None) -> str:
        """EPC of a pallet, in hexadecimal; raises `BadEpc`."""
        return write_sscc(sscc, prefix_digits or self.prefix_digits, self.pallet_filter)


class _Desk(NamedTuple):
    """What every shipment of one document is read with."""

    document: Node
    pallets: Pallets
    site: str
    master: ItemMaster
    form: TagForm
    reader: Reader


def drafts(data: bytes, site: str, master: ItemMaster, form: TagForm) -> tuple[list[Draft], list[BodyMistake]]:
    """One draft a despatch advice, in the order of the document, and what is wrong besides.

    `site`: our name, by which a document that we made ourselves is known as outbound. Raises `BadBody` for what is no
    EPCIS document.
    """
    reader = Reader()
    document, events = read(data, reader)
    desk = _Desk(document, Pallets(events, reader), site, master, form, reader)
    found = []
    for uri, group in _grouped(events, reader).items():
        shipment = _Shipment(desk, uri)
        for event in group:
            shipment.add(event)
        if not shipment.empty or not reader.mistakes:
            found.append(shipment.draft())
    if not found and not reader.mistakes:
        text = "no event of shipping or departing names a despatch advice (bizTransaction of type desadv)"
        reader.wrong(Node(None, "epcisBody.eventList"), text)
    return found, reader.mistakes


def _grouped(events: list[Node], reader: Reader) -> dict[str, list[Node]]:
    """Events that tell of shipments, by the URI of their despatch advice."""
    found: dict[str, dict[str | None, list[Node]]] = {}
    for event in events:
        step = reader.word(event, "bizStep")
        advices = _documents(event, "desadv", reader)
        if step == "void_shipping":
            reader.wrong(event, "a shipment is taken back: close it on its page, and say why")
        elif step in ("shipping", "departing") or (step is None and advices and kind(event) == "TransactionEvent"):
            if event.get("errorDeclaration") is not None:
                reader.wrong(event, "declares an error: send the events that hold, without it")
            elif len(advices) != 1:
                text = "expected one despatch advice (bizTransaction of type desadv)"
                reader.wrong(event, f"{text}, not {len(advices)}")
            else:
                found.setdefault(str(advices[0].value), {}).setdefault(step, []).append(event)
    return {uri: next(steps[step] for step in _STEPS if step in steps) for uri, steps in found.items()}


def _documents(event: Node, type_: str, reader: Reader) -> list[Node]:
    """Business transactions of one type, each once."""
    found: dict[object, Node] = {}
    for one in reader.each(event, "bizTransactionList"):
        uri = reader.text(one, "bizTransaction")
        if uri is not None and reader.word(one, "type") == type_:
            found.setdefault(uri.value, uri)
    return list(found.values())


class _Shipment:
    """What the document says of one despatch advice."""

    def __init__(self, desk: _Desk, uri: str) -> None:
        self._desk = desk
        self._reader = desk.reader
        self._uri = uri
        self._ours = f"{PRIVATE}{desk.site}:"
        self._first: Node | None = None
        self._head: dict[str, tuple[str, Node]] = {}
        self._cases: dict[str, tuple[str | None, Node]] = {}
        """Pallet and place, by EPC."""
        self._opened: set[str] = set()
        """Pallets whose contents are known to be of it."""
        self._lines: dict[tuple[str, str | None], tuple[int, Node]] = {}
        """Units and place, by SKU and lot."""

    def add(self, event: Node) -> None:
        """One more event of it."""
        self._first = self._first or event
        self._say(event)
        parent = self._reader.text(event, "parentID")
        if kind(event) == "AggregationEvent" and parent is not None:
            self._put([(parent, None)])
        else:
            sscc = self._epc(parent)[1] if parent is not None else None
            self._put([(epc, sscc) for epc in self._reader.each(event, "epcList")])
            for quantity in self._reader.each(event, "quantityList"):
                self._count(quantity)

    def _say(self, event: Node) -> None:
        """Direction, partner and order; two events of one shipment must say the same."""
        outbound = self._from_here(event)
        self._agree("direction", "outbound" if outbound else "inbound", event)
        other = ("destinationList", "destination", "receiver") if outbound else ("sourceList", "source", "sender")
        parties = dict(reversed(self._ends(event, other[0], other[1])))
        node = next((parties[one] for one in _PARTIES if one in parties), None)
        node = node or self._reader.text(self._desk.document, other[2])
        if node is not None:
            self._agree("partner", party_name(str(node.value)), node)
        orders = _documents(event, "po", self._reader)
        if len(orders) > 1:
            self._reader.wrong(orders[1], "a second purchase order: expected one at most")
        elif orders:
            self._agree("order", order_number(str(orders[0].value)), orders[0])

    def _from_here(self, event: Node) -> bool:
        """Whether it begins at a place of ours."""
        places = [event.get("readPoint"), event.get("bizLocation")]
        nodes = [self._reader.text(place, "id") for place in places if place is not None]
        nodes += [node for _, node in self._ends(event, "sourceList", "source")]
        ours = tuple(f"{self._ours}{place}" for place in ("site", "door:", "zone:"))
        return any(node is not None and str(node.value).startswith(ours) for node in nodes)

    def _ends(self, event: Node, key: str, end: str) -> list[tuple[str | None, Node]]:
        found = [(self._reader.word(one, "type"), self._reader.text(one, end)) for one in self._reader.each(event, key)]
        return [(type_, node) for type_, node in found if node is not None]

    def _agree(self, key: str, value: str, node: Node) -> None:
        said, _ = self._head.setdefault(key, (value, node))
        if said != value:
            self._reader.wrong(node, f"{key} {value!r}, but an earlier event of the same shipment says {said!r}")

    def _put(self, objects: list[tuple[Node, str | None]]) -> None:
        """Cases, and pallets with all that stands on them; each with the pallet that it stands on itself."""
        waiting = objects[::-1]
        while waiting:
            node, sscc = waiting.pop()
            case, pallet = self._epc(node)
            if case is not None:
                held, place = self._cases.get(case, (None, node))
                self._cases[case] = (held or sscc or self._pallet_under(node), place)
            elif pallet is not None and pallet not in self._opened:
                self._opened.add(pallet)
                children, quantities = self._desk.pallets.of(canonical(str(node.value)))
                if not children and not quantities:
                    self._reader.wrong(node, "no aggregation event says what stands on this pallet")
                waiting += [(child, pallet) for child in reversed(children)]
                for quantity in quantities:
                    self._count(quantity)

    def _pallet_under(self, node: Node) -> str | None:
        """EPC of the pallet that a case stands on, where an aggregation event says so though the shipment does not."""
        parent = self._desk.pallets.pallet_under(canonical(str(node.value)))
        return None if parent is None else self._epc(parent)[1]

    def _epc(self, node: Node) -> tuple[str | None, str | None]:
        """EPC of a case or of a pallet, in hexadecimal; what is neither is a mistake."""
        try:
            key = parse(node.value) if isinstance(node.value, str) else None
            if key is not None and (gtin := key.get("01")) and (serial := key.get("21")):
                return self._desk.form.case(gtin, serial, key.prefix_digits), None
            if key is not None and (sscc := key.get("00")):
                return None, self._desk.form.pallet(sscc, key.prefix_digits)
        except BadEpc as error:
            self._reader.wrong(node, str(error))
        else:
            self._reader.wrong(node, f"expected the SGTIN of a case or the SSCC of a pallet, not {_shown(node)}")
        return None, None

    def _count(self, node: Node) -> None:
        """So many of a SKU, or of a lot of it."""
        uri, amount, uom = self._reader.text(node, "epcClass"), node.get("quantity"), node.get("uom")
        if uom is not None and uom.value not in _PIECES:
            self._reader.wrong(uom, f"expected pieces, not {_shown(uom)}")
        elif uri is None or amount is None:
            self._reader.wrong(node, "expected an epcClass and a quantity")
        elif (units := _whole(amount.value)) is None:
            self._reader.wrong(amount, f"expected a whole number above 0, not {_shown(amount)}")
        elif (product := self._product(uri)) is not None:
            sum_, first = self._lines.get(product, (0, amount))
            self._lines[product] = (sum_ + units, first)

    def _product(self, node: Node) -> tuple[str, str | None] | None:
        """SKU and lot of an EPC class."""
        uri, ours = str(node.value), f"{self._ours}class:"
        if uri.startswith(ours):
            sku, _, lot = uri.removeprefix(ours).partition(":")
            return unquote(sku), unquote(lot) or None
        try:
            key = parse(uri)
            gtin = key.get("01")
            if gtin is None or key.get("21") is not None:
                raise BadEpc(f"expected the class of a product (GTIN, or GTIN and lot), not {_shown(node)}")
            held = self._desk.master.sku(write_sgtin(gtin, "1"))
        except BadEpc as error:
            self._reader.wrong(node, str(error))
            return None
        if held is None:
            self._reader.wrong(node, f"GTIN {gtin} is no item of this site")
            return None
        return held, key.get("10")

    @property
    def empty(self) -> bool:
        """Nothing is known to be of it."""
        return not self._cases and not self._lines

    def draft(self) -> Draft:
        """The shipment, for the model that checks it."""
        cases = [{"epc": epc, "sscc": sscc} for epc, (sscc, _) in self._cases.items()]
        value: dict[str, object] = {"id": document_number(self._uri), "cases": cases, "lines": self._counted()}
        return Draft(value | {key: said for key, (said, _) in self._head.items()}, self._place)

    def _counted(self) -> list[dict[str, object]]:
        """The lines. EPCIS counts what it does not name; a line of an ASN counts the named cases, too."""
        named = Counter(self._desk.master.sku(epc) for epc in self._cases)
        lines: list[dict[str, object]] = []
        for (sku, lot), (units, _) in self._lines.items():
            lines.append({"sku": sku, "units": units + named.pop(sku, 0), "lot": lot})
        return lines

    def _place(self, location: Location) -> str:
        assert self._first is not None, "a shipment has an event"
        match location:
            case ("cases", int(i), *_):
                return list(self._cases.values())[i][1].path
            case ("lines", int(i), *_):
                return list(self._lines.values())[i][1].path
            case (str(key), *_) if key in self._head:
                return self._head[key][1].path
            case _:
                return self._first.path + _STANDS_IN.get(location, "")


_STANDS_IN: Final[dict[Location, str]] = {("partner",): ".sourceList", ("id",): ".bizTransactionList"}


def _whole(value: object) -> int | None:
    """A whole number above 0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _shown(node: Node) -> str:
    return repr(node.value)[:100]
