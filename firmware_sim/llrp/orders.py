"""What a client may ask of the reader, and the answer (LLRP 1.0.1 sections 8 to 12): a table of requests."""

import re
import struct
import zlib
from collections.abc import Callable

from firmware_sim.errors import BadFrame
from firmware_sim.llrp import impinj
from firmware_sim.llrp.access import AccessSpecs
from firmware_sim.llrp.facts import Condition, Facts, Wanted, capabilities, configuration
from firmware_sim.llrp.frames import Frame, fields, parameters, status
from firmware_sim.llrp.inventory import Inventory
from firmware_sim.llrp.rospec import State, read_rospec
from firmware_sim.llrp.settings import Settings, set_reader_config
from firmware_sim.llrp.words import Message, Param, Status

_ID = struct.Struct(">I")
_BYTE = struct.Struct(">B")
_CONFIG_REQUEST = struct.Struct(">HBHH")
_VENDOR_PARAMETER = re.compile(rb"\x03\xff..\x00\x00\x65\x1a", re.DOTALL)
"""A Custom parameter of vendor 25882, at any depth."""


class Orders:
    """Carries out requests. `inputs` gives the GPIs that are high; `configured` is called with changed settings."""

    def __init__(
        self,
        facts: Facts,
        inventory: Inventory,
        access: AccessSpecs,
        inputs: Callable[[], frozenset[int]],
        configured: Callable[[Settings], None],
    ) -> None:
        self.extended = False
        """The client has enabled the vendor's extensions on this connection."""
        self._facts, self._inventory, self._access = facts, inventory, access
        self._inputs, self._configured = inputs, configured

    def answer(self, frame: Frame) -> tuple[Message, bytes] | None:
        """The answer to a request; None for a message that is none, or none that this reader knows."""
        if frame.type == Message.CUSTOM_MESSAGE:
            return self._extend(frame.body)
        if frame.type not in _ANSWERS:
            return None
        response, act = _ANSWERS[frame.type]
        try:
            if not self.extended and _VENDOR_PARAMETER.search(frame.body):
                raise BadFrame(Status.UNSUPPORTED_PARAMETER, "the vendor's extensions are not enabled here")
            return response, status(Status.SUCCESS) + act(self, frame.body)
        except BadFrame as error:
            return response, status(error.status, str(error))

    def _extend(self, body: bytes) -> tuple[Message, bytes] | None:
        """IMPINJ_ENABLE_EXTENSIONS is honoured by a reader of that vendor."""
        head = impinj.MESSAGE_HEAD
        if self._facts.vendor != "impinj" or not body.startswith(head.pack(impinj.VENDOR, impinj.ENABLE_EXTENSIONS)):
            return None
        self.extended = True
        answer = head.pack(impinj.VENDOR, impinj.EXTENSIONS_ENABLED) + status(Status.SUCCESS)
        return Message.CUSTOM_MESSAGE, answer

    # Each takes the body and returns the parameters after the status, or raises BadFrame.

    def _get_capabilities(self, body: bytes) -> bytes:
        (requested,) = fields(_BYTE, body, "GET_READER_CAPABILITIES")
        vendor = impinj.requested(body[_BYTE.size :], "GET_READER_CAPABILITIES")
        return capabilities(self._facts, requested, vendor)

    def _get_config(self, body: bytes) -> bytes:
        antenna, requested, gpi, gpo = fields(_CONFIG_REQUEST, body, "GET_READER_CONFIG")
        vendor = impinj.requested(body[_CONFIG_REQUEST.size :], "GET_READER_CONFIG")
        return configuration(self._inventory.settings, self._condition(), Wanted(antenna, requested, gpi, gpo, vendor))

    def _set_config(self, body: bytes) -> bytes:
        settings, reset = set_reader_config(self._inventory.settings, body)
        if reset:
            self._inventory.delete(0)
            self._access.delete(0)
        self._inventory.settings = settings
        self._configured(settings)
        return b""

    def _add_rospec(self, body: bytes) -> bytes:
        found = list(parameters(body, "ADD_ROSPEC"))
        if len(found) != 1 or found[0].type != Param.ROSPEC:
            raise BadFrame(Status.MISSING_PARAMETER, "ADD_ROSPEC: one ROSpec is needed")
        self._inventory.add(read_rospec(found[0], self._facts.ports))
        return b""

    def _get_rospecs(self, _: bytes) -> bytes:
        spec = self._inventory.spec
        return spec.as_parameter(self._inventory.state) if spec else b""

    def _add_accessspec(self, body: bytes) -> bytes:
        self._access.add(body)
        return b""

    def _get_accessspecs(self, _: bytes) -> bytes:
        return self._access.as_parameters()

    def _condition(self) -> Condition:
        """The state value is the same for the same settings and specs, whether an ROSpec runs or not."""
        spec, state = self._inventory.spec, self._inventory.state
        raw = spec.as_parameter(min(state, State.INACTIVE)) if spec else b""
        everything = repr(self._inventory.settings).encode() + raw + self._access.as_parameters()
        return Condition(self._inventory.cables, self._inputs(), zlib.crc32(everything))


def _on(act: Callable[[Orders, int], None]) -> Callable[[Orders, bytes], bytes]:
    """A request whose body is the id of an ROSpec or AccessSpec."""

    def request(orders: Orders, body: bytes) -> bytes:
        act(orders, fields(_ID, body, "the id of a spec")[0])
        return b""

    return request


_ANSWERS: dict[int, tuple[Message, Callable[[Orders, bytes], bytes]]] = {
    Message.GET_READER_CAPABILITIES: (Message.GET_READER_CAPABILITIES_RESPONSE, Orders._get_capabilities),
    Message.GET_READER_CONFIG: (Message.GET_READER_CONFIG_RESPONSE, Orders._get_config),
    Message.SET_READER_CONFIG: (Message.SET_READER_CONFIG_RESPONSE, Orders._set_config),
    Message.ADD_ROSPEC: (Message.ADD_ROSPEC_RESPONSE, Orders._add_rospec),
    Message.DELETE_ROSPEC: (Message.DELETE_ROSPEC_RESPONSE, _on(lambda my, spec: my._inventory.delete(spec))),
    Message.START_ROSPEC: (Message.START_ROSPEC_RESPONSE, _on(lambda my, spec: my._inventory.start(spec))),
    Message.STOP_ROSPEC: (Message.STOP_ROSPEC_RESPONSE, _on(lambda my, spec: my._inventory.stop(spec))),
    Message.ENABLE_ROSPEC: (Message.ENABLE_ROSPEC_RESPONSE, _on(lambda my, spec: my._inventory.enable(spec))),
    Message.DISABLE_ROSPEC: (Message.DISABLE_ROSPEC_RESPONSE, _on(lambda my, spec: my._inventory.disable(spec))),
    Message.GET_ROSPECS: (Message.GET_ROSPECS_RESPONSE, Orders._get_rospecs),
    Message.ADD_ACCESSSPEC: (Message.ADD_ACCESSSPEC_RESPONSE, Orders._add_accessspec),
    Message.DELETE_ACCESSSPEC: (Message.DELETE_ACCESSSPEC_RESPONSE, _on(lambda my, spec: my._access.delete(spec))),
    Message.ENABLE_ACCESSSPEC: (Message.ENABLE_ACCESSSPEC_RESPONSE, _on(lambda my, spec: my._access.enable(spec))),
    Message.DISABLE_ACCESSSPEC: (Message.DISABLE_ACCESSSPEC_RESPONSE, _on(lambda my, spec: my._access.disable(spec))),
    Message.GET_ACCESSSPECS: (Message.GET_ACCESSSPECS_RESPONSE, Orders._get_accessspecs),
}
