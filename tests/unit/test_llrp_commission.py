"""Commissioning without a wire: our AccessSpecs carried out on the memory of simulated tags, and what follows."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sllurp.llrp import LLRPMessage

from edge.errors import TagTrouble
from edge.llrp.accessspec import ACCESSSPEC_ID, ROSPEC_ID, Area, Bank, Lock, Op, Read, Write, accessspec, rospec
from edge.llrp.answers import below
from edge.llrp.body import read_message
from edge.llrp.commission import Wish, after, family, look, next_step, state, trouble
from edge.llrp.request import message, tlv
from edge.llrp.sighting import Result, Sighting, sightings
from edge.llrp.tagfield import chosen, gather
from edge.llrp.words import NUMBERS
from firmware_sim.llrp.access import AccessSpecs
from firmware_sim.tagmemory import Area as SimArea
from firmware_sim.tagmemory import Bank as SimBank
from firmware_sim.tagmemory import Privilege, TagMemory

FACTORY = bytes.fromhex("e28011606000020912345678")
CASE = bytes.fromhex("3074257bf7194e4000001a85")
PASSWORD = 0xC0FFEE01
TID = bytes.fromhex("e28011602000000000000007")
OPS: tuple[Op, ...] = (
    Read(Bank.EPC, 1, 7),
    Write(Bank.EPC, 2, CASE, PASSWORD),
    Lock((Area.EPC, Area.ACCESS_PASSWORD), PASSWORD),
)


# The bytes


def test_an_accessspec_is_what_sllurp_makes_of_the_same() -> None:
    spec = {
        "AccessSpecID": ACCESSSPEC_ID,
        "AntennaID": 0,
        "ProtocolID": 1,
        "CurrentState": False,
        "ROSpecID": ROSPEC_ID,
        "AccessSpecStopTrigger": {"AccessSpecStopTriggerType": 1, "OperationCountValue": 3},
        "AccessCommand": {
            "TagSpecParameter": {
                "C1G2TagSpec": {
                    "C1G2TargetTag": [{"MB": 2, "M": True, "Pointer": 0, "TagMask": "ff" * 12, "TagData": TID.hex()}]
                }
            },
            "OpSpecParameter": [
                {"C1G2Read": {"OpSpecID": 8, "AccessPassword": 0, "MB": 1, "WordPtr": 1, "WordCount": 7}},
                {
                    "C1G2Write": {
                        "OpSpecID": 9,
                        "AccessPassword": PASSWORD,
                        "MB": 1,
                        "WordPtr": 2,
                        "WriteDataWordCount": 6,
                        "WriteData": CASE,
                    }
                },
                {
                    "C1G2Lock": {
                        "OpSpecID": 10,
                        "AccessPassword": PASSWORD,
                        "C1G2LockPayload": [{"Privilege": 0, "DataField": 2}, {"Privilege": 0, "DataField": 1}],
                    }
                },
            ],
        },
        "AccessReportSpec": {"AccessReportTrigger": 0},
    }
    theirs = LLRPMessage(msgdict={"ADD_ACCESSSPEC": {"Ver": 1, "ID": 5, "AccessSpec": spec}}).msgbytes
    assert message("ADD_ACCESSSPEC", 5, accessspec(OPS, TID, first=8, runs=3)) == theirs


def test_the_rospec_hears_with_the_antennas_and_the_power_that_were_asked_for() -> None:
    fields = read_message(NUMBERS["ADD_ROSPEC"], rospec({3, 1}, 81))
    spec = below(fields, "ROSpec")
    step = below(spec, "AISpec")
    setting = below(below(step, "InventoryParameterSpec"), "AntennaConfiguration")
    assert spec["ROSpecID"] == ROSPEC_ID
    assert step["AntennaIDs"] == [1, 3]
    assert below(setting, "RFTransmitter")["TransmitPower"] == 81
    assert below(below(setting, "C1G2InventoryCommand"), "C1G2SingulationControl")["Session"] == 0
    contents = below(below(spec, "ROReportSpec"), "TagReportContentSelector")
    asked = {name for name, value in contents.items() if value == 1}
    assert asked == {"EnableROSpecID", "EnableAntennaID", "EnablePeakRSSI", "EnableAccessSpecID"}
    assert below(contents, "C1G2EPCMemorySelector")["EnablePCBits"] == 1


# The rules, on tags


class Bench:
    """A reader without a wire: it carries out our AccessSpec on one tag and reports."""

    def __init__(self, memory: TagMemory, rssi_dbm: float = -50.0, seed: int = 1) -> None:
        self.memory, self._rssi_dbm = memory, rssi_dbm
        self._chance = Random(seed)
        self._first = 0

    def do(self, ops: tuple[Op, ...]) -> dict[int, Result]:
        self._first += 8
        specs = AccessSpecs(self._chance)
        specs.add(accessspec(ops, b"", first=self._first, runs=1))
        specs.enable(0)
        accessed = specs.perform(self.memory, ROSPEC_ID, 1, self._rssi_dbm)
        assert accessed is not None
        head = tlv(241, (8 * len(self.memory.epc)).to_bytes(2, "big") + self.memory.epc)
        head += b"\x89" + ROSPEC_ID.to_bytes(4, "big") + b"\x90" + accessed.accessspec.to_bytes(4, "big")
        report = read_message(61, tlv(240, head + accessed.results))
        (sighting,) = sightings(report, self._first)
        return sighting.results

    def commission(self, wish: Wish, most: int = 500) -> list[str]:
        """Kinds of the steps that went well, until all is as it should be."""
        done, tag, looks = [], None, look(wish, len(self.memory.epc) // 2)
        for _ in range(most):
            tag = tag or state(looks, self.do(looks))
            if tag is None:
                continue
            step = next_step(tag, wish)
            if step is None:
                return done
            results = self.do(step.ops)
            tag = after(tag, step, results)
            if tag or not trouble(step, results, wish):
                done.append(step.kind)
        raise AssertionError(f"not done after {most} steps: {done}")


def fresh(epc: bytes = FACTORY) -> TagMemory:
    return TagMemory(epc, b"serial")


def test_a_fresh_tag_gets_its_epc_and_its_lock_and_then_nothing_more() -> None:
    bench = Bench(fresh())
    wish = Wish(CASE, PASSWORD, lock=True)
    assert bench.commission(wish) == ["epc", "password", "lock", "check", "probe"]
    assert bench.commission(wish) == ["check", "probe"]
    assert bench.memory.epc == CASE
    with pytest.raises(TagTrouble, match="locked: give"):
        bench.commission(Wish(FACTORY))
    assert bench.commission(Wish(FACTORY, PASSWORD)) == ["check", "epc", "check"]


EPCS = st.integers(1, 8).flatmap(lambda words: st.binary(min_size=2 * words, max_size=2 * words))


@given(
    now=EPCS,
    wanted=EPCS,
    password=st.sampled_from([None, 1, 0x10000, 0xFFFF0000, PASSWORD]),
    lock=st.booleans(),
    rssi_dbm=st.sampled_from([-50.0, -66.0, -72.0]),
    seed=st.integers(0, 2**32),
)
def test_whatever_a_tag_was_and_however_often_it_fails_it_becomes_what_it_shall_be(
    now: bytes, wanted: bytes, password: int | None, lock: bool, rssi_dbm: float, seed: int
) -> None:
    bench = Bench(fresh(now), rssi_dbm, seed)
    wish = Wish(wanted, password, lock=lock and password is not None)
    bench.commission(wish, most=5000)
    assert bench.memory.epc == wanted
    assert bench.memory.pc & 0x01FF == 0
    assert bench.memory.access(0) == (not wish.lock)
    assert Bench(bench.memory).commission(wish) == (["check", "probe"] if wish.lock else [])


def test_what_another_application_left_in_the_pc_word_goes() -> None:
    memory = fresh()
    memory.write(SimBank.EPC, 1, 6 << 11 | 0x0400 | 0x01A1, secured=True)
    bench = Bench(memory)
    looked = state(look(Wish(FACTORY), 6), bench.do(look(Wish(FACTORY), 6)))
    assert looked is not None
    assert family(looked.pc) == 0xA1
    assert bench.commission(Wish(FACTORY)) == ["epc"]
    assert bench.memory.pc == 6 << 11 | 0x0400


@pytest.mark.parametrize("lock", [Privilege.LOCK, Privilege.PERMALOCK])
def test_a_wrong_password_is_found_out_before_anything_is_written(lock: Privilege) -> None:
    memory = fresh()
    bench = Bench(memory)
    bench.commission(Wish(CASE, PASSWORD, lock=True))
    tag = state(look(Wish(FACTORY), 6), bench.do(look(Wish(FACTORY), 6)))
    assert tag is not None
    memory.lock(SimArea.EPC, lock, secured=True)
    wrong = Wish(FACTORY, PASSWORD ^ 1)
    step = next_step(tag, wrong)
    assert step is not None
    results = bench.do(step.ops)
    assert step.kind == "check"
    assert after(tag, step, results) is None
    assert "it is wrong" in trouble(step, results, wrong)
    assert memory.epc == CASE


def test_a_tag_without_room_is_told_before_anything_is_written() -> None:
    bench = Bench(fresh())
    with pytest.raises(TagTrouble, match="no room"):
        bench.commission(Wish(bytes(18)))
    assert bench.memory.epc == FACTORY


# Which tag is meant


def seen(epc: str, tid: str, rssi_dbm: int = -50) -> Sighting:
    data = bytes.fromhex(tid)
    results = {0: Result("Success", data[:4])} | ({1: Result("Success", data)} if len(data) > 4 else {})
    return Sighting(epc, 0x3000, 1, rssi_dbm, results if tid else {})


def test_a_tag_is_one_tag_however_much_of_its_tid_was_read() -> None:
    tags = gather([seen("aa", "e2801160"), seen("aa", TID.hex(), -45), seen("aa", "")])
    assert [(tag.epc, tag.tid, tag.reads, tag.rssi_dbm) for tag in tags] == [("aa", TID.hex(), 3, -45)]
    assert chosen(tags, None) == tags[0]


def test_what_cannot_be_told_apart_is_not_written() -> None:
    short = [seen("aa", "e2801160"), seen("bb", "e2801160")]
    with pytest.raises(TagTrouble, match="cannot be told from others by its TID e2801160"):
        chosen(gather(short), "aa")
    with pytest.raises(TagTrouble, match="does not answer: bring it nearer"):
        chosen(gather([seen("aa", "")]), None)
    with pytest.raises(TagTrouble, match="two tags have this EPC"):
        chosen(gather([seen("aa", TID.hex()), seen("aa", TID.hex()[:-1] + "8")]), "aa")
    with pytest.raises(TagTrouble, match="2 tags are in the field; take the others away"):
        chosen(gather(short), None)


def test_reports_of_other_rospecs_and_results_of_earlier_accessspecs_are_passed_over() -> None:
    epc = tlv(241, b"\x00\x60" + CASE)
    old = tlv(350, b"\x00" + (3).to_bytes(2, "big") + b"\x00\x06")
    new = tlv(350, b"\x02" + (16).to_bytes(2, "big") + b"\x00\x02")
    ours = b"\x89" + ROSPEC_ID.to_bytes(4, "big") + b"\x90" + ACCESSSPEC_ID.to_bytes(4, "big")
    foreign = b"\x89" + (1).to_bytes(4, "big")
    body = tlv(240, epc + foreign + new) + tlv(240, epc + ours + old + new) + tlv(240, b"\x8d" + CASE + ours[:5] + new)
    first, second = sightings(read_message(61, body), 16)
    assert first.results == {0: Result("Tag_Memory_Locked_Error", b"", 2)}
    assert (second.epc, second.results) == (CASE.hex(), {})
