"""What we ask of a reader, as LLRP messages encoded by sllurp.

One ROSpec that never ends: all antennas of the door in turn, every tag reported at once with antenna, channel, peak
RSSI, both times and the count. It is started by a message, not by itself, so that nothing is on air before the reader
is configured (LLRP 1.0.1 sections 10.2 and 13.2).
"""

from collections.abc import Iterable, Mapping
from struct import pack_into
from typing import Any, Final

from sllurp.llrp import LLRPMessage
from sllurp.llrp_proto import LLRPROSpec

ROSPEC_ID: Final = 1
_HOLD_EVENTS_AND_REPORTS: Final = bytes.fromhex("00e2 0005 80")
"""EventsAndReports (type 226) with its one flag set. sllurp knows it, but cannot encode it."""
_UNWANTED: Final = ("HoppingEvent", "GPIEvent", "ROSpecEvent", "RFSurveyEvent", "AISpecEvent", "AntennaEvent")


def get_capabilities(message_id: int) -> bytes:
    """GET_READER_CAPABILITIES, all of them."""
    return _encode("GET_READER_CAPABILITIES", message_id, RequestedData=0)


def set_config(message_id: int, keepalive_s: float, *, hold: bool, warn: bool) -> bytes:
    """SET_READER_CONFIG: a keepalive, the events we act on, and how reports outlive a lost connection.

    `hold`: the reader shall keep them until we ask; `warn`: before it runs out of room. Not every reader can.
    """
    events = {"ReaderExceptionEvent": True} | dict.fromkeys(_UNWANTED, False)
    if warn:
        events["ReportBufferFillWarning"] = True
    message = bytearray(
        _encode(
            "SET_READER_CONFIG",
            message_id,
            ResetToFactoryDefaults=False,
            ReaderEventNotificationSpec={"EventNotificationState": events},
            KeepaliveSpec={"KeepaliveTriggerType": 1, "TimeInterval": round(keepalive_s * 1000)},
        )
    )
    if hold:
        message += _HOLD_EVENTS_AND_REPORTS
        pack_into(">I", message, 2, len(message))
    return bytes(message)


def add_rospec(message_id: int, antennas: Iterable[int], transmit_power: int, session: int = 1) -> bytes:
    """ADD_ROSPEC. `transmit_power` is an index into the reader's table; `session` the Gen2 session.

    Session 1 lets a tag fall silent for half a second to five after each read (Gen2 table 6.20), so that hundreds of
    tags on a pallet all get their turn, and yet each is read several times while it passes.
    """
    spec = LLRPROSpec(
        None,
        ROSPEC_ID,
        antennas=tuple(sorted(antennas)),
        tx_power=transmit_power,
        session=session,
        tag_population=32,
        tag_content_selector={"EnableROSpecID": False, "EnableChannelIndex": True, "EnableFirstSeenTimestamp": True},
    )
    spec["ROBoundarySpec"]["ROSpecStartTrigger"]["ROSpecStartTriggerType"] = "Null"
    spec["ROReportSpec"] |= {"ROReportTrigger": "Upon_N_Tags_Or_End_Of_ROSpec", "N": 1}
    return _encode("ADD_ROSPEC", message_id, ROSpec=spec)


def on_rospec(request: str, message_id: int, rospec_id: int = ROSPEC_ID) -> bytes:
    """DELETE_ROSPEC, ENABLE_ROSPEC, START_ROSPEC, ...; id 0 means all."""
    return _encode(request, message_id, ROSpecID=rospec_id)


def bare(request: str, message_id: int) -> bytes:
    """A message without contents: KEEPALIVE_ACK, ENABLE_EVENTS_AND_REPORTS, CLOSE_CONNECTION."""
    return _encode(request, message_id)


def _encode(name: str, message_id: int, **contents: object) -> bytes:
    fields: Mapping[str, Any] = {"Ver": 1, "ID": message_id, **contents}
    encoded: bytes = LLRPMessage(msgdict={name: fields}).msgbytes
    return encoded
