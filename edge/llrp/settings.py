"""A reader's configuration, as far as we care: what it is, what it shall be, and whether that is the same.

SET_READER_CONFIG is only sent where something differs: some readers refuse it while an ROSpec runs, and those that take
it may stop for it (LLRP 1.0.1 section 12).
"""

from struct import pack
from typing import Final, NamedTuple

from edge.llrp import impinj
from edge.llrp.answers import Abilities, below, each
from edge.llrp.body import Fields
from edge.llrp.request import message, tlv

EVENTS: Final = {
    "Upon_Hopping_To_Next_Channel": 0,
    "GPI_Event": 1,
    "ROSpec_Event": 2,
    "Report_Buffer_Fill_Warning": 3,
    "Reader_Exception_Event": 4,
    "RFSurvey_Event": 5,
    "AISpec_Event": 6,
    "Antenna_Event": 8,
}
"""EventType of EventNotificationState (section 16.2.7.5.1); 7, AISpec events with details, is of LLRP 1.1."""
EVERYTHING: Final = pack(">HBHH", 0, 0, 0, 0)
"""Body of a GET_READER_CONFIG: all antennas and ports, all data (section 12.1.1)."""
MISSED_KEEPALIVES: Final = 3
"""So many missed keepalives end a connection, seen from either end."""


class Settings(NamedTuple):
    """What we ask of a reader, or what it says of itself."""

    keepalive_ms: int
    """0 for none."""
    holds: bool
    """Events and reports of the time without a client are kept until ENABLE_EVENTS_AND_REPORTS."""
    events: frozenset[str]
    """Of `EVENTS`: those it tells."""
    inputs: frozenset[int]
    """GPI ports that are watched."""
    missed: int = 0
    """Keepalives without an acknowledgement after which the reader itself hangs up; 0 for never."""

    def serve(self, wanted: "Settings") -> bool:
        """Whether a reader that has these settings needs no others."""
        return self._replace(inputs=self.inputs & wanted.inputs) == wanted


def wanted(able: Abilities, keepalive_s: float, *, gpi: bool, extended: bool) -> Settings:
    """What a reader with these abilities shall do."""
    events = {"ROSpec_Event", "Reader_Exception_Event", "Antenna_Event"}
    events |= {"Report_Buffer_Fill_Warning"} if able.warns else set()
    events |= {"GPI_Event"} if gpi else set()
    return Settings(
        keepalive_ms=round(keepalive_s * 1000),
        holds=able.holds_reports,
        events=frozenset(events),
        inputs=frozenset(range(1, able.inputs + 1) if gpi else ()),
        missed=MISSED_KEEPALIVES if extended else 0,
    )


def settings(answer: Fields) -> Settings:
    """Those in a GET_READER_CONFIG_RESPONSE that carries all of them."""
    keepalive, told = below(answer, "KeepaliveSpec"), below(answer, "ReaderEventNotificationSpec")
    period_ms = keepalive.get("PeriodicTriggerValue")
    periodic = keepalive.get("KeepaliveTriggerType") == "Periodic"
    on = {state.get("EventType") for state in each(told, "EventNotificationState") if state.get("NotificationState")}
    ports = [port.get("GPIPortNum") for port in each(answer, "GPIPortCurrentState") if port.get("Config")]
    return Settings(
        keepalive_ms=period_ms if periodic and isinstance(period_ms, int) else 0,
        holds=bool(below(answer, "EventsAndReports").get("HoldEventsAndReportsUponReconnect")),
        events=frozenset(name for name in EVENTS if name in on),
        inputs=frozenset(port for port in ports if isinstance(port, int)),
        missed=next((n for one in each(answer, "Custom") if (n := impinj.monitored(one)) is not None), 0),
    )


def levels(answer: Fields) -> dict[int, bool]:
    """The watched GPI ports of a GET_READER_CONFIG_RESPONSE that are known to be high or low."""
    states = {
        port.get("GPIPortNum"): port.get("State") for port in each(answer, "GPIPortCurrentState") if port.get("Config")
    }
    return {port: state == "High" for port, state in states.items() if isinstance(port, int) and state != "Unknown"}


def antennas(answer: Fields) -> dict[int, bool]:
    """The antennas of a GET_READER_CONFIG_RESPONSE, and whether each is connected (section 12.2)."""
    states = {one.get("AntennaID"): bool(one.get("AntennaConnected")) for one in each(answer, "AntennaProperties")}
    return {antenna: there for antenna, there in states.items() if isinstance(antenna, int)}


def get_settings(message_id: int, *, extended: bool) -> bytes:
    """GET_READER_CONFIG: everything about all antennas and ports."""
    vendor = impinj.ask_link_monitor() if extended else b""
    return message("GET_READER_CONFIG", message_id, EVERYTHING + vendor)


def get_inputs(message_id: int) -> bytes:
    """GET_READER_CONFIG: the inputs alone (ConfigData 9)."""
    return message("GET_READER_CONFIG", message_id, pack(">HBHH", 0, 9, 0, 0))


def set_settings(message_id: int, shall: Settings) -> bytes:
    """SET_READER_CONFIG.

        | reset (1), reserved (7) |
        | 244 ReaderEventNotificationSpec | 245 EventNotificationState | type (16) | on (1), reserved (7) | ...
        | 220 KeepaliveSpec | 1: periodic (8) | milliseconds (32) |
        | 225 GPIPortCurrentState | port (16) | watched (1), reserved (7) | state (8) | ...
        | 226 EventsAndReports | hold (1), reserved (7) |

    Holding is not mentioned to a reader that cannot, nor the warning of a full buffer.
    """
    states = ((number, name in shall.events) for name, number in EVENTS.items())
    named = ((number, on) for number, on in states if on or number != EVENTS["Report_Buffer_Fill_Warning"])
    body = b"\0" + tlv(244, b"".join(tlv(245, pack(">HB", number, on << 7)) for number, on in named))
    body += tlv(220, pack(">BI", 1, shall.keepalive_ms))
    body += b"".join(tlv(225, pack(">HBB", port, 0x80, 2)) for port in sorted(shall.inputs))
    body += tlv(226, b"\x80") if shall.holds else b""
    body += impinj.link_monitor(shall.missed) if shall.missed else b""
    return message("SET_READER_CONFIG", message_id, body)
