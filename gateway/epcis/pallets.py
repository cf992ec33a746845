"""What stands on which pallet, as the aggregation events of one document say."""

from typing import Final

from gateway.epcis.gs1uri import DIGITAL_LINK, canonical
from gateway.epcis.nodes import Node, Reader, kind

_SSCC: Final = DIGITAL_LINK + "00/"


class Pallets:
    """Each pallet and what is on it after all events, in the order of the document; by their canonical URIs."""

    def __init__(self, events: list[Node], reader: Reader) -> None:
        self._reader = reader
        self._parents: dict[str, Node] = {}
        self._children: dict[str, dict[str, Node]] = {}
        self._quantities: dict[str, list[Node]] = {}
        for event in events:
            parent = reader.text(event, "parentID") if kind(event) == "AggregationEvent" else None
            if parent is not None:
                uri = canonical(str(parent.value))
                self._parents.setdefault(uri, parent)
                self._note(uri, event)
        self._under = {child: parent for parent, held in self._children.items() for child in held}

    def _note(self, parent: str, event: Node) -> None:
        """ADD puts more on it, OBSERVE says what is on it, DELETE takes off what is named, or everything."""
        children = {canonical(str(one.value)): one for one in self._reader.each(event, "childEPCs")}
        quantities = list(self._reader.each(event, "childQuantityList"))
        held, counted = self._children.setdefault(parent, {}), self._quantities.setdefault(parent, [])
        action = event.get("action")
        if action is None or action.value != "DELETE":
            held.update(children)
            observed = action is not None and action.value == "OBSERVE"
            self._quantities[parent] = quantities if observed and quantities else [*counted, *quantities]
        elif quantities:
            self._reader.wrong(event, "units that are only counted are taken off a pallet: send what is on it instead")
        else:
            self._quantities[parent] = counted if children else []
            self._children[parent] = {uri: one for uri, one in held.items() if children and uri not in children}

    def of(self, parent: str) -> tuple[list[Node], list[Node]]:
        """EPCs and quantities on a pallet."""
        return list(self._children.get(parent, {}).values()), self._quantities.get(parent, [])

    def pallet_under(self, child: str) -> Node | None:
        """The pallet that a case stands on."""
        parent = self._under.get(child, "")
        return self._parents[parent] if parent.startswith(_SSCC) else None
