"""How a connection is armed: from the reader's greeting to reads, and again when a reader stops reading.

A reader may still run what the last client, or we ourselves, left behind. What it holds is looked at, not trusted: if
it runs the very ROSpec that we would give it, with the settings that we would give it, it goes on undisturbed and loses
no read. Otherwise everything is cleared away, because an ROSpec of somebody else holds the antennas (and ours may be
refused as one too many) and an AccessSpec of somebody else may write to every tag that we read; then it is configured
(which some readers refuse while an ROSpec runs) and gets our ROSpec. Reports are held until the very end, so that what
a reader buffered while we were away is sent when we are ready for it, and not before.

There is never more than one request that we wait for. The table is `_STEPS`, at the end of this file.
"""

from collections import Counter
from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple

from contract.portals import Reader
from edge.errors import Blinded
from edge.llrp import impinj, settings
from edge.llrp.answers import Abilities, abilities, each, refusal
from edge.llrp.body import Fields
from edge.llrp.powers import meant
from edge.llrp.request import message
from edge.llrp.rospec import RoSpec, add, on_spec, rospec, same

MAX_IN_VAIN: Final = 3
"""A reader that was started again so often, and still does not list that it reads, lists nonsense: it is asked no more.
Else it would be disturbed, and people told, every minute for ever."""


class State(IntEnum):
    """How far a connection is: what we wait for."""

    GREETING = 0
    CAPABILITIES = 1
    EXTENDING = 2
    INSPECTING = 3
    COMPARING = 4
    CLEARING = 5
    FORGETTING = 6
    CONFIGURING = 7
    SENSING = 8
    ADDING = 9
    ENABLING = 10
    STARTING = 11
    READING = 12


class Arming:
    """The state of one connection, and what its reader told on the way."""

    def __init__(self, reader: Reader, counts: Counter[str], *, gpi: bool, again: bool) -> None:
        """`gpi`: watch the reader's inputs. `again`: it was armed on a connection before this one."""
        self.state = State.GREETING
        self.stopped = ""
        """Why the reader is armed again while connected; empty once it reads."""
        self.asked = False
        """An answer is owed to `check`."""
        self.remark = ""
        """What the last answer told that people may want to know; empty for nothing."""
        self._reader = reader
        self._counts = counts
        self._gpi = gpi
        self._again = again
        self._able = Abilities(0, (), holds_reports=False, warns=False)
        self._extended = False
        self._found: settings.Settings | None = None
        self._spec: RoSpec | None = None
        self._lists_rospecs = False
        self._in_vain = 0
        """How often it was armed again and still did not list what it shall run."""
        self._last_id = 0

    def expects(self, name: str) -> bool:
        """Whether a message of that name is the answer that is waited for."""
        return name == _STEPS[self.state].answer

    def greeted(self) -> bytes:
        """The reader takes us; gives what to send, as do all that follow."""
        return self._enter(State.CAPABILITIES)

    def answered(self, answer: Fields) -> bytes:
        """The answer that was waited for. Raises `Blinded` if it is a refusal that leaves no way."""
        self.remark = ""
        why = "" if self.state is State.EXTENDING else refusal(answer)
        return self.refused(why) if why else self._enter(_STEPS[self.state].leads_to(self, answer))

    def refused(self, why: str) -> bytes:
        """What was asked is refused, or (LLRP 1.0.1 section 14.1) was not even understood."""
        otherwise = _STEPS[self.state].if_refused
        if otherwise is None:
            raise Blinded(f"the reader refuses while {self.state.name.lower()}: {why}")
        self.asked = False
        return self._enter(otherwise)

    def check(self) -> bytes:
        """Ask whether the reader still runs our ROSpec, if it reads, can say, and was not asked already."""
        if self.state is not State.READING or self.asked or not self._lists_rospecs:
            return b""
        self.asked = True
        return message("GET_ROSPECS", self.next_id())

    def runs(self, rospec_id: object) -> bool:
        """Whether that is our ROSpec."""
        return self._spec is not None and self._spec.id == rospec_id

    def next_id(self) -> int:
        """A fresh message id."""
        self._last_id = self._last_id % 0xFFFFFFFF + 1
        return self._last_id

    def _enter(self, state: State) -> bytes:
        if state is self.state:
            return b""
        self.state = state
        if state is State.READING:
            self.stopped = ""
        return _STEPS[state].asks(self, self.next_id())

    # Where answers lead

    def _able_to(self, answer: Fields) -> State:
        self._able = able = abilities(answer)
        missing = sorted(antenna for antenna in self._reader.antennas if antenna > able.antennas)
        if missing:
            raise Blinded(f"the reader has {able.antennas} antennas: correct {missing} in the site file")
        if self._reader.transmit_power not in (0, *(power.index for power in able.powers)):
            raise Blinded(f"the reader's power table has no index {self._reader.transmit_power}")
        known = self._reader.vendor_extensions and able.vendor == impinj.VENDOR
        return State.EXTENDING if known else State.INSPECTING

    def _extensions(self, answer: Fields) -> State:
        self._extended = impinj.extensions_enabled(answer)
        return State.INSPECTING

    def _inspected(self, answer: Fields) -> State:
        self._found = settings.settings(answer)
        return State.COMPARING

    def _compared(self, answer: Fields) -> State:
        """Keep what is ours; else clear everything away."""
        self._lists_rospecs = True
        held, ours = each(answer, "ROSpec"), self._ours()
        if self._again and not held:
            self._counts["restarts"] += 1
            self.remark = "the reader has forgotten what it shall do: it was started anew"
        if len(held) == 1 and same(held[0], ours) and self._found and self._found.serve(self._wanted()):
            self._counts["rospecs_kept"] += 1
            return _AS_HELD.get(held[0].get("CurrentState"), State.CLEARING)
        if held:
            self._counts["rospecs_removed"] += len(held)
            ids = ", ".join(str(one.get("ROSpecID")) for one in held[:10])
            self.remark = f"what the reader was told before is replaced: ROSpec {ids}"
        return State.CLEARING

    def _configured(self, _: Fields) -> State:
        return State.SENSING if self._gpi else State.ADDING

    def _checked(self, answer: Fields) -> State:
        """While reading: does our ROSpec still run?"""
        self.asked = False
        states = [one.get("CurrentState") for one in each(answer, "ROSpec") if self.runs(one.get("ROSpecID"))]
        if "Active" in states:
            self._in_vain = 0
            return State.READING
        if self._in_vain == MAX_IN_VAIN:
            self._lists_rospecs = False
            self.remark = "the reader does not list what it runs: it is not asked any more"
            return State.READING
        self._in_vain += 1
        self._counts["re_armed"] += 1
        self.stopped = "the reader had stopped reading without a word: it is being started again"
        return _AS_HELD.get(states[0], State.CLEARING) if states else State.CLEARING

    # What is asked

    def _ours(self) -> RoSpec:
        if self._spec is None:
            power = meant(self._able.powers, self._reader.transmit_power)
            self._spec = rospec(self._reader, power, extended=self._extended)
        return self._spec

    def _wanted(self) -> settings.Settings:
        return settings.wanted(self._able, self._reader.keepalive_s, gpi=self._gpi, extended=self._extended)

    def _inspect(self, message_id: int) -> bytes:
        return settings.get_settings(message_id, extended=self._extended)

    def _configure(self, message_id: int) -> bytes:
        return settings.set_settings(message_id, self._wanted())

    def _add(self, message_id: int) -> bytes:
        return add(message_id, self._ours())

    def _enable(self, message_id: int) -> bytes:
        return on_spec("ENABLE_ROSPEC", message_id, self._ours().id)

    def _start(self, message_id: int) -> bytes:
        return on_spec("START_ROSPEC", message_id, self._ours().id)


class _Step(NamedTuple):
    """One row of the table."""

    asks: Callable[[Arming, int], bytes]
    answer: str
    leads_to: Callable[[Arming, Fields], State]
    if_refused: State | None = None


def _always(state: State) -> Callable[[Arming, Fields], State]:
    return lambda _, __: state


_S = State
_STEPS: Final[dict[State, _Step]] = {
    _S.GREETING: _Step(lambda _, __: b"", "no answer: ConnectionAttemptEvent", _always(_S.GREETING)),
    _S.CAPABILITIES: _Step(
        lambda _, n: message("GET_READER_CAPABILITIES", n, b"\0"), "GET_READER_CAPABILITIES_RESPONSE", Arming._able_to
    ),
    _S.EXTENDING: _Step(
        lambda _, n: impinj.enable_extensions(n), "CUSTOM_MESSAGE", Arming._extensions, if_refused=_S.INSPECTING
    ),
    _S.INSPECTING: _Step(
        Arming._inspect, "GET_READER_CONFIG_RESPONSE", Arming._inspected, if_refused=_S.COMPARING
    ),
    _S.COMPARING: _Step(
        lambda _, n: message("GET_ROSPECS", n), "GET_ROSPECS_RESPONSE", Arming._compared, if_refused=_S.CLEARING
    ),
    _S.CLEARING: _Step(
        lambda _, n: on_spec("DELETE_ROSPEC", n, 0), "DELETE_ROSPEC_RESPONSE", _always(_S.FORGETTING)
    ),
    _S.FORGETTING: _Step(
        lambda _, n: on_spec("DELETE_ACCESSSPEC", n, 0), "DELETE_ACCESSSPEC_RESPONSE", _always(_S.CONFIGURING),
        if_refused=_S.CONFIGURING,
    ),
    _S.CONFIGURING: _Step(Arming._configure, "SET_READER_CONFIG_RESPONSE", Arming._configured),
    _S.SENSING: _Step(
        lambda _, n: settings.get_inputs(n), "GET_READER_CONFIG_RESPONSE", _always(_S.ADDING),
        if_refused=_S.ADDING,
    ),
    _S.ADDING: _Step(Arming._add, "ADD_ROSPEC_RESPONSE", _always(_S.ENABLING)),
    _S.ENABLING: _Step(Arming._enable, "ENABLE_ROSPEC_RESPONSE", _always(_S.STARTING)),
    _S.STARTING: _Step(Arming._start, "START_ROSPEC_RESPONSE", _always(_S.READING)),
    _S.READING: _Step(
        lambda _, n: message("ENABLE_EVENTS_AND_REPORTS", n), "GET_ROSPECS_RESPONSE", Arming._checked,
        if_refused=_S.READING,
    ),
}  # fmt: skip
"""State x what is asked on entering it x the answer that is waited for x where it leads x where a refusal leads (or the
connection ends)."""
_AS_HELD: Final[dict[object, State]] = {
    "Disabled": State.ENABLING,
    "Inactive": State.STARTING,
    "Active": State.READING,
}
"""Where an ROSpec of ours leads that the reader holds, by its state."""
