"""The vocabulary of LLRP 1.0.1 and 1.1: messages, parameters and their fields, by type number.

Encodings: LLRP 1.0.1 section 16 (1.1: section 17); names: the LLRP Toolkit's XML, which writes C1G2UHFRFModeTable where
the standard says UHFC1G2RFModeTable. A field is `Name:kind` or `Name:kind=Enumeration` (of `enumerations`). Kinds:

    u1..u64, s8, s16   unsigned and signed integers of so many bits, most significant first
    r7                 so many reserved bits
    u1v                16-bit count of bits, then the bits, padded to a whole octet
    u8v, u16v, u32v    16-bit count of integers, then the integers
    utf8v              16-bit count of octets, then UTF-8 text
    hex12, hex*        twelve octets, or all that are left
"""

from typing import NamedTuple

CUSTOM = 1023
"""Type number of a vendor's own message or parameter."""


class Field(NamedTuple):
    """One fixed field of a message or a parameter."""

    name: str
    kind: str
    values: str = ""
    """Name of its enumeration, if it has one."""


class Word(NamedTuple):
    """A message or parameter: its own fields, which any number of parameters may follow."""

    name: str
    fields: tuple[Field, ...]


def _word(name: str, fields: str = "") -> Word:
    taken = (item.partition(":") for item in fields.split())
    return Word(name, tuple(Field(key, *kind.split("=")) for key, _, kind in taken))


MESSAGES: dict[int, Word] = {
    1: _word("GET_READER_CAPABILITIES", "RequestedData:u8=CapabilitiesData"),
    2: _word("GET_READER_CONFIG", "AntennaID:u16 RequestedData:u8=ConfigData GPIPortNum:u16 GPOPortNum:u16"),
    3: _word("SET_READER_CONFIG", "ResetToFactoryDefault:u1 _:r7"),
    4: _word("CLOSE_CONNECTION_RESPONSE"),
    11: _word("GET_READER_CAPABILITIES_RESPONSE"),
    12: _word("GET_READER_CONFIG_RESPONSE"),
    13: _word("SET_READER_CONFIG_RESPONSE"),
    14: _word("CLOSE_CONNECTION"),
    20: _word("ADD_ROSPEC"),
    21: _word("DELETE_ROSPEC", "ROSpecID:u32"),
    22: _word("START_ROSPEC", "ROSpecID:u32"),
    23: _word("STOP_ROSPEC", "ROSpecID:u32"),
    24: _word("ENABLE_ROSPEC", "ROSpecID:u32"),
    25: _word("DISABLE_ROSPEC", "ROSpecID:u32"),
    26: _word("GET_ROSPECS"),
    30: _word("ADD_ROSPEC_RESPONSE"),
    31: _word("DELETE_ROSPEC_RESPONSE"),
    32: _word("START_ROSPEC_RESPONSE"),
    33: _word("STOP_ROSPEC_RESPONSE"),
    34: _word("ENABLE_ROSPEC_RESPONSE"),
    35: _word("DISABLE_ROSPEC_RESPONSE"),
    36: _word("GET_ROSPECS_RESPONSE"),
    40: _word("ADD_ACCESSSPEC"),
    41: _word("DELETE_ACCESSSPEC", "AccessSpecID:u32"),
    42: _word("ENABLE_ACCESSSPEC", "AccessSpecID:u32"),
    43: _word("DISABLE_ACCESSSPEC", "AccessSpecID:u32"),
    44: _word("GET_ACCESSSPECS"),
    45: _word("CLIENT_REQUEST_OP"),
    46: _word("GET_SUPPORTED_VERSION"),
    47: _word("SET_PROTOCOL_VERSION", "ProtocolVersion:u8"),
    50: _word("ADD_ACCESSSPEC_RESPONSE"),
    51: _word("DELETE_ACCESSSPEC_RESPONSE"),
    52: _word("ENABLE_ACCESSSPEC_RESPONSE"),
    53: _word("DISABLE_ACCESSSPEC_RESPONSE"),
    54: _word("GET_ACCESSSPECS_RESPONSE"),
    55: _word("CLIENT_REQUEST_OP_RESPONSE"),
    56: _word("GET_SUPPORTED_VERSION_RESPONSE", "CurrentVersion:u8 SupportedVersion:u8"),
    57: _word("SET_PROTOCOL_VERSION_RESPONSE"),
    60: _word("GET_REPORT"),
    61: _word("RO_ACCESS_REPORT"),
    62: _word("KEEPALIVE"),
    63: _word("READER_EVENT_NOTIFICATION"),
    64: _word("ENABLE_EVENTS_AND_REPORTS"),
    72: _word("KEEPALIVE_ACK"),
    100: _word("ERROR_MESSAGE"),
    CUSTOM: _word("CUSTOM_MESSAGE", "VendorIdentifier:u32 MessageSubtype:u8 Data:hex*"),
}

NUMBERS: dict[str, int] = {word.name: number for number, word in MESSAGES.items()}

BARE = frozenset(NUMBERS[name] for name in (
    "CLOSE_CONNECTION", "GET_ROSPECS", "GET_ACCESSSPECS", "GET_SUPPORTED_VERSION", "SET_PROTOCOL_VERSION", "GET_REPORT",
    "KEEPALIVE", "ENABLE_EVENTS_AND_REPORTS", "KEEPALIVE_ACK", "DELETE_ROSPEC", "START_ROSPEC", "STOP_ROSPEC",
    "ENABLE_ROSPEC", "DISABLE_ROSPEC", "DELETE_ACCESSSPEC", "ENABLE_ACCESSSPEC", "DISABLE_ACCESSSPEC",
))  # fmt: skip
"""Messages that carry no parameters, so that their length is known."""

_OP = "OpSpecID:u16 AccessPassword:u32 MB:u2 _:r6"

PARAMETERS: dict[int, Word] = {
    # TV parameters (types 1 to 127): one octet 1TTTTTTT, then the fields, no length
    1: _word("AntennaID", "AntennaID:u16"),
    2: _word("FirstSeenTimestampUTC", "Microseconds:u64"),
    3: _word("FirstSeenTimestampUptime", "Microseconds:u64"),
    4: _word("LastSeenTimestampUTC", "Microseconds:u64"),
    5: _word("LastSeenTimestampUptime", "Microseconds:u64"),
    6: _word("PeakRSSI", "PeakRSSI:s8"),
    7: _word("ChannelIndex", "ChannelIndex:u16"),
    8: _word("TagSeenCount", "TagCount:u16"),
    9: _word("ROSpecID", "ROSpecID:u32"),
    10: _word("InventoryParameterSpecID", "InventoryParameterSpecID:u16"),
    11: _word("C1G2_CRC", "CRC:u16"),
    12: _word("C1G2_PC", "PC_Bits:u16"),
    13: _word("EPC_96", "EPC:hex12"),
    14: _word("SpecIndex", "SpecIndex:u16"),
    15: _word("ClientRequestOpSpecResult", "OpSpecID:u16"),
    16: _word("AccessSpecID", "AccessSpecID:u32"),
    17: _word("OpSpecID", "OpSpecID:u16"),
    18: _word("C1G2SingulationDetails", "NumCollisionSlots:u16 NumEmptySlots:u16"),
    19: _word("C1G2XPCW1", "XPC_W1:u16"),
    20: _word("C1G2XPCW2", "XPC_W2:u16"),
    # TLV parameters: 6 reserved bits, 10 bits of type, 16 bits of length
    128: _word("UTCTimestamp", "Microseconds:u64"),
    129: _word("Uptime", "Microseconds:u64"),
    137: _word("GeneralDeviceCapabilities", "MaxNumberOfAntennaSupported:u16 CanSetAntennaProperties:u1 "
               "HasUTCClockCapability:u1 _:r14 DeviceManufacturerName:u32 ModelName:u32 ReaderFirmwareVersion:utf8v"),
    139: _word("ReceiveSensitivityTableEntry", "Index:u16 ReceiveSensitivityValue:s16"),
    140: _word("PerAntennaAirProtocol", "AntennaID:u16 ProtocolID:u8v=AirProtocol"),
    141: _word("GPIOCapabilities", "NumGPIs:u16 NumGPOs:u16"),
    142: _word("LLRPCapabilities", "CanDoRFSurvey:u1 CanReportBufferFillWarning:u1 SupportsClientRequestOpSpec:u1 "
               "CanDoTagInventoryStateAwareSingulation:u1 SupportsEventAndReportHolding:u1 _:r3 "
               "MaxNumPriorityLevelsSupported:u8 ClientRequestOpSpecTimeout:u16 MaxNumROSpecs:u32 "
               "MaxNumSpecsPerROSpec:u32 MaxNumInventoryParameterSpecsPerAISpec:u32 MaxNumAccessSpecs:u32 "
               "MaxNumOpSpecsPerAccessSpec:u32"),
    143: _word("RegulatoryCapabilities", "CountryCode:u16 CommunicationsStandard:u16=CommunicationsStandard"),
    144: _word("UHFBandCapabilities"),
    145: _word("TransmitPowerLevelTableEntry", "Index:u16 TransmitPowerValue:s16"),
    146: _word("FrequencyInformation", "Hopping:u1 _:r7"),
    147: _word("FrequencyHopTable", "HopTableID:u8 _:r8 Frequency:u32v"),
    148: _word("FixedFrequencyTable", "Frequency:u32v"),
    149: _word("PerAntennaReceiveSensitivityRange",
               "AntennaID:u16 ReceiveSensitivityIndexMin:u16 ReceiveSensitivityIndexMax:u16"),
    177: _word("ROSpec", "ROSpecID:u32 Priority:u8 CurrentState:u8=ROSpecState"),
    178: _word("ROBoundarySpec"),
    179: _word("ROSpecStartTrigger", "ROSpecStartTriggerType:u8=StartTrigger"),
    180: _word("PeriodicTriggerValue", "Offset:u32 Period:u32"),
    181: _word("GPITriggerValue", "GPIPortNum:u16 GPIEvent:u1 _:r7 Timeout:u32"),
    182: _word("ROSpecStopTrigger", "ROSpecStopTriggerType:u8=StopTrigger DurationTriggerValue:u32"),
    183: _word("AISpec", "AntennaIDs:u16v"),
    184: _word("AISpecStopTrigger", "AISpecStopTriggerType:u8=AIStopTrigger DurationTrigger:u32"),
    185: _word("TagObservationTrigger", "TriggerType:u8=ObservationTrigger _:r8 NumberOfTags:u16 "
               "NumberOfAttempts:u16 T:u16 Timeout:u32"),
    186: _word("InventoryParameterSpec", "InventoryParameterSpecID:u16 ProtocolID:u8=AirProtocol"),
    187: _word("RFSurveySpec", "AntennaID:u16 StartFrequency:u32 EndFrequency:u32"),
    188: _word("RFSurveySpecStopTrigger", "StopTriggerType:u8=SurveyStopTrigger DurationPeriod:u32 N:u32"),
    207: _word("AccessSpec", "AccessSpecID:u32 AntennaID:u16 ProtocolID:u8=AirProtocol "
               "CurrentState:u1=AccessSpecState _:r7 ROSpecID:u32"),
    208: _word("AccessSpecStopTrigger", "AccessSpecStopTrigger:u8=AccessStopTrigger OperationCountValue:u16"),
    209: _word("AccessCommand"),
    210: _word("ClientRequestOpSpec", "OpSpecID:u16"),
    211: _word("ClientRequestResponse", "AccessSpecID:u32"),
    217: _word("LLRPConfigurationStateValue", "LLRPConfigurationStateValue:u32"),
    218: _word("Identification", "IDType:u8=IDType ReaderID:u8v"),
    219: _word("GPOWriteData", "GPOPortNumber:u16 GPOData:u1 _:r7"),
    220: _word("KeepaliveSpec", "KeepaliveTriggerType:u8=KeepaliveTrigger PeriodicTriggerValue:u32"),
    221: _word("AntennaProperties", "AntennaConnected:u1 _:r7 AntennaID:u16 AntennaGain:s16"),
    222: _word("AntennaConfiguration", "AntennaID:u16"),
    223: _word("RFReceiver", "ReceiverSensitivity:u16"),
    224: _word("RFTransmitter", "HopTableID:u16 ChannelIndex:u16 TransmitPower:u16"),
    225: _word("GPIPortCurrentState", "GPIPortNum:u16 Config:u1 _:r7 State:u8=GPIState"),
    226: _word("EventsAndReports", "HoldEventsAndReportsUponReconnect:u1 _:r7"),
    237: _word("ROReportSpec", "ROReportTrigger:u8=ReportTrigger N:u16"),
    238: _word("TagReportContentSelector", "EnableROSpecID:u1 EnableSpecIndex:u1 EnableInventoryParameterSpecID:u1 "
               "EnableAntennaID:u1 EnableChannelIndex:u1 EnablePeakRSSI:u1 EnableFirstSeenTimestamp:u1 "
               "EnableLastSeenTimestamp:u1 EnableTagSeenCount:u1 EnableAccessSpecID:u1 _:r6"),
    239: _word("AccessReportSpec", "AccessReportTrigger:u8=AccessReportTrigger"),
    240: _word("TagReportData"),
    241: _word("EPCData", "EPC:u1v"),
    242: _word("RFSurveyReportData"),
    243: _word("FrequencyRSSILevelEntry", "Frequency:u32 Bandwidth:u32 AverageRSSI:s8 PeakRSSI:s8"),
    244: _word("ReaderEventNotificationSpec"),
    245: _word("EventNotificationState", "EventType:u16=NotificationEvent NotificationState:u1 _:r7"),
    246: _word("ReaderEventNotificationData"),
    247: _word("HoppingEvent", "HopTableID:u16 NextChannelIndex:u16"),
    248: _word("GPIEvent", "GPIPortNumber:u16 GPIEvent:u1 _:r7"),
    249: _word("ROSpecEvent", "EventType:u8=ROSpecEvent ROSpecID:u32 PreemptingROSpecID:u32"),
    250: _word("ReportBufferLevelWarningEvent", "ReportBufferPercentageFull:u8"),
    251: _word("ReportBufferOverflowErrorEvent"),
    252: _word("ReaderExceptionEvent", "Message:utf8v"),
    253: _word("RFSurveyEvent", "EventType:u8=SurveyEvent ROSpecID:u32 SpecIndex:u16"),
    254: _word("AISpecEvent", "EventType:u8=AISpecEvent ROSpecID:u32 SpecIndex:u16"),
    255: _word("AntennaEvent", "EventType:u8=AntennaEvent AntennaID:u16"),
    256: _word("ConnectionAttemptEvent", "Status:u16=ConnectionAttempt"),
    257: _word("ConnectionCloseEvent"),
    287: _word("LLRPStatus", "StatusCode:u16=Status ErrorDescription:utf8v"),
    288: _word("FieldError", "FieldNum:u16 ErrorCode:u16=Status"),
    289: _word("ParameterError", "ParameterType:u16 ErrorCode:u16=Status"),
    327: _word("C1G2LLRPCapabilities", "CanSupportBlockErase:u1 CanSupportBlockWrite:u1 CanSupportBlockPermalock:u1 "
               "CanSupportTagRecommissioning:u1 CanSupportUMIMethod2:u1 CanSupportXPC:u1 _:r2 "
               "MaxNumSelectFiltersPerQuery:u16"),
    328: _word("C1G2UHFRFModeTable"),
    329: _word("C1G2UHFRFModeTableEntry", "ModeIdentifier:u32 DRValue:u1=DRValue EPCHAGTCConformance:u1 _:r6 "
               "MValue:u8=MValue ForwardLinkModulation:u8=ForwardLinkModulation "
               "SpectralMaskIndicator:u8=SpectralMask BDRValue:u32 PIEValue:u32 MinTariValue:u32 MaxTariValue:u32 "
               "StepTariValue:u32"),
    330: _word("C1G2InventoryCommand", "TagInventoryStateAware:u1 _:r7"),
    331: _word("C1G2Filter", "T:u2=Truncate _:r6"),
    332: _word("C1G2TagInventoryMask", "MB:u2 _:r6 Pointer:u16 TagMask:u1v"),
    333: _word("C1G2TagInventoryStateAwareFilterAction", "Target:u8=FilterTarget Action:u8=AwareAction"),
    334: _word("C1G2TagInventoryStateUnawareFilterAction", "Action:u8=UnawareAction"),
    335: _word("C1G2RFControl", "ModeIndex:u16 Tari:u16"),
    336: _word("C1G2SingulationControl", "Session:u2 _:r6 TagPopulation:u16 TagTransitTime:u32"),
    337: _word("C1G2TagInventoryStateAwareSingulationAction", "I:u1=SingulationState S:u1=SingulationFlag "
               "S_All:u1 _:r5"),
    338: _word("C1G2TagSpec"),
    339: _word("C1G2TargetTag", "MB:u2 Match:u1 _:r5 Pointer:u16 TagMask:u1v TagData:u1v"),
    341: _word("C1G2Read", f"{_OP} WordPointer:u16 WordCount:u16"),
    342: _word("C1G2Write", f"{_OP} WordPointer:u16 WriteData:u16v"),
    343: _word("C1G2Kill", "OpSpecID:u16 KillPassword:u32"),
    344: _word("C1G2Lock", "OpSpecID:u16 AccessPassword:u32"),
    345: _word("C1G2LockPayload", "Privilege:u8=LockPrivilege DataField:u8=LockDataField"),
    346: _word("C1G2BlockErase", f"{_OP} WordPointer:u16 WordCount:u16"),
    347: _word("C1G2BlockWrite", f"{_OP} WordPointer:u16 WriteData:u16v"),
    348: _word("C1G2EPCMemorySelector", "EnableCRC:u1 EnablePCBits:u1 EnableXPCBits:u1 _:r5"),
    349: _word("C1G2ReadOpSpecResult", "Result:u8=ReadResult OpSpecID:u16 ReadData:u16v"),
    350: _word("C1G2WriteOpSpecResult", "Result:u8=WriteResult OpSpecID:u16 NumWordsWritten:u16"),
    351: _word("C1G2KillOpSpecResult", "Result:u8=KillResult OpSpecID:u16"),
    352: _word("C1G2LockOpSpecResult", "Result:u8=LockResult OpSpecID:u16"),
    353: _word("C1G2BlockEraseOpSpecResult", "Result:u8=WriteResult OpSpecID:u16"),
    354: _word("C1G2BlockWriteOpSpecResult", "Result:u8=WriteResult OpSpecID:u16 NumWordsWritten:u16"),
    355: _word("LoopSpec", "LoopCount:u32"),
    356: _word("SpecLoopEvent", "ROSpecID:u32 LoopCount:u32"),
    357: _word("C1G2Recommission", "OpSpecID:u16 KillPassword:u32 _:r5 SB3:u1 SB2:u1 LSB:u1"),
    358: _word("C1G2BlockPermalock", f"{_OP} BlockPointer:u16 BlockMask:u16v"),
    359: _word("C1G2GetBlockPermalockStatus", f"{_OP} BlockPointer:u16 BlockRange:u16"),
    360: _word("C1G2RecommissionOpSpecResult", "Result:u8=LockResult OpSpecID:u16"),
    361: _word("C1G2BlockPermalockOpSpecResult", "Result:u8=PermalockResult OpSpecID:u16"),
    362: _word("C1G2GetBlockPermalockStatusOpSpecResult",
               "Result:u8=PermalockStatusResult OpSpecID:u16 PermalockStatus:u16v"),
    363: _word("MaximumReceiveSensitivity", "MaximumSensitivityValue:u16"),
    365: _word("RFSurveyFrequencyCapabilities", "MinimumFrequency:u32 MaximumFrequency:u32"),
    CUSTOM: _word("Custom", "VendorIdentifier:u32 ParameterSubtype:u32 Data:hex*"),
}  # fmt: skip
"""As LLRP 1.1 has them; it knows all of 1.0.1."""

PARAMETERS_1_0_1: dict[int, Word] = PARAMETERS | {
    327: _word("C1G2LLRPCapabilities",
               "CanSupportBlockErase:u1 CanSupportBlockWrite:u1 _:r6 MaxNumSelectFiltersPerQuery:u16"),
    337: _word("C1G2TagInventoryStateAwareSingulationAction", "I:u1=SingulationState S:u1=SingulationFlag _:r6"),
    348: _word("C1G2EPCMemorySelector", "EnableCRC:u1 EnablePCBits:u1 _:r6"),
}  # fmt: skip
"""LLRP 1.0.1 reserves bits that 1.1 has given a meaning. What it does not know at all is harmless to know."""
