"""pyllrp, a second LLRP client that knows nothing of sllurp or of us, asked from stories that run in a loop.

Its codec comes from the LLRP Toolkit's definition of LLRP 1.0.1 and Impinj's of its extensions.
"""

import asyncio
from types import TracebackType
from typing import Any

from pyllrp import pyllrp as llrp
from pyllrp.LLRPConnector import LLRPConnector


class OtherClient:
    """Its connector, unmodified, in a thread. What comes unasked is kept in `reports` and `events`."""

    def __init__(self, port: int) -> None:
        self.connector = LLRPConnector()
        self.reports: list[Any] = []
        self.events: list[Any] = []
        self._port = port

    async def __aenter__(self) -> "OtherClient":
        self.connector.addHandler(llrp.RO_ACCESS_REPORT_Message, lambda _, message: self.reports.append(message))
        self.connector.addHandler("default", lambda _, message: self.events.append(message))
        await asyncio.to_thread(self.connector.connect, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.connector.disconnect)

    async def ask(self, message: Any) -> Any:
        """Send a request and wait for its answer."""
        return await asyncio.to_thread(self.connector.transact, message)

    async def done(self, message: Any) -> Any:
        """The same, and the answer is a success."""
        answer = await self.ask(message)
        assert answer.success(), answer
        return answer

    async def tags(self) -> list[Any]:
        """The TagReportData parameters that came so far, and are told once."""
        await self.ask(llrp.GET_READER_CONFIG_Message(RequestedData=llrp.GetReaderConfigRequestedData.Identification))
        reports, self.reports = self.reports, []
        return [tag for report in reports for tag in report.Parameters]


def part(parameter: Any, name: str) -> Any:
    """The first parameter of that name below another, or None."""
    return parameter.getFirstParameterByClass(getattr(llrp, f"{name}_Parameter"))


def rospec(*antennas: int, vendor: bool = False) -> Any:
    """An ADD_ROSPEC that reports each read at once, started by a message, with everything that can be asked for."""
    extras = [
        llrp.ImpinjTagReportContentSelector_Parameter(
            Parameters=[
                llrp.ImpinjEnableRFPhaseAngle_Parameter(RFPhaseAngleMode=1),
                llrp.ImpinjEnablePeakRSSI_Parameter(PeakRSSIMode=1),
                llrp.ImpinjEnableRFDopplerFrequency_Parameter(RFDopplerFrequencyMode=1),
            ]
        )
    ]
    enabled = dict.fromkeys(("EnableROSpecID", "EnableAntennaID", "EnablePeakRSSI", "EnableAccessSpecID"), True)
    return llrp.ADD_ROSPEC_Message(
        Parameters=[
            llrp.ROSpec_Parameter(
                ROSpecID=1,
                CurrentState=llrp.ROSpecState.Disabled,
                Parameters=[
                    llrp.ROBoundarySpec_Parameter(
                        Parameters=[
                            llrp.ROSpecStartTrigger_Parameter(ROSpecStartTriggerType=0),
                            llrp.ROSpecStopTrigger_Parameter(ROSpecStopTriggerType=0),
                        ]
                    ),
                    llrp.AISpec_Parameter(
                        AntennaIDs=list(antennas or (0,)),
                        Parameters=[
                            llrp.AISpecStopTrigger_Parameter(AISpecStopTriggerType=0),
                            llrp.InventoryParameterSpec_Parameter(InventoryParameterSpecID=1, ProtocolID=1),
                        ],
                    ),
                    llrp.ROReportSpec_Parameter(
                        ROReportTrigger=llrp.ROReportTriggerType.Upon_N_Tags_Or_End_Of_ROSpec,
                        N=1,
                        Parameters=[
                            llrp.TagReportContentSelector_Parameter(
                                **enabled, Parameters=[llrp.C1G2EPCMemorySelector_Parameter(EnablePCBits=True)]
                            ),
                            *(extras if vendor else []),
                        ],
                    ),
                ],
            )
        ]
    )


async def inventory(client: OtherClient, message: Any) -> None:
    """Add, enable and start an ROSpec."""
    await client.done(message)
    await client.done(llrp.ENABLE_ROSPEC_Message(ROSpecID=1))
    await client.done(llrp.START_ROSPEC_Message(ROSpecID=1))
