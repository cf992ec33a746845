"""The tags that an ROSpec singulates, on their way into reports: AccessSpecs are carried out on them, and they are
gathered until the ROSpec's report rule says when (LLRP 1.0.1 sections 11 and 13.2.1).
"""

from typing import NamedTuple

from firmware_sim.llrp.access import AccessSpecs
from firmware_sim.llrp.batch import Batch
from firmware_sim.llrp.outgoing import Outgoing
from firmware_sim.llrp.report import Seen, tag_report
from firmware_sim.llrp.reportrule import AccessReportWhen, ReportRule, ReportWhen
from firmware_sim.radio import TagRead
from firmware_sim.tagmemory import Tags


class Place(NamedTuple):
    """Where in the ROSpec a tag was singulated."""

    rospec: int
    step: int
    """1 for the first AISpec."""
    inventory: int


class Harvest:
    """Gathers reads and hands reports to `outgoing`."""

    def __init__(self, outgoing: Outgoing, access: AccessSpecs, tags: Tags, *, utc: bool, gather: bool) -> None:
        self._outgoing, self._access, self._tags, self._utc = outgoing, access, tags, utc
        self._batch = Batch(outgoing.lose, gather=gather)

    def note(
        self, read: TagRead, epc: bytes, at_us: int, place: Place, rule: ReportRule, access_rule: AccessReportWhen
    ) -> None:
        """A tag answered with this EPC. `access_rule` holds where its AccessSpec says nothing else."""
        seen = Seen(epc, *place, read.antenna, read.level_cdbm, read.channel, at_us, at_us, 1, read.phase, read.doppler)
        if self._access:
            memory = self._tags[read.epc]
            seen = seen._replace(pc=memory.pc)
            done = self._access.perform(memory, place.rospec, read.antenna, read.level_cdbm / 100)
            if done:
                seen = seen._replace(accessspec=done.accessspec, results=done.results)
                if (access_rule if done.report is None else done.report) == AccessReportWhen.END_OF_ACCESSSPEC:
                    self._send([seen], rule)
                    return
        self._batch.add(seen)
        if rule.when != ReportWhen.NONE and rule.n and len(self._batch) >= rule.n:
            self.flush(rule)

    def end(self, rule: ReportRule, *, rospec: bool) -> None:
        """An AISpec, or the whole ROSpec, has ended: send what is gathered if the rule says so."""
        if len(self._batch) and (rule.when == ReportWhen.N_OR_END_OF_AISPEC or (rospec and rule.when)):
            self.flush(rule)

    def flush(self, rule: ReportRule) -> None:
        """Send what is gathered now, even if that is nothing."""
        self._send(self._batch.take(), rule)

    def forget(self) -> None:
        """Power is gone."""
        self._batch.take()

    def _send(self, entries: list[Seen], rule: ReportRule) -> None:
        self._outgoing.report([tag_report(seen, rule.contents, utc=self._utc) for seen in entries])
