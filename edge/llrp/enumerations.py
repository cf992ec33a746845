"""What the numbers in LLRP's enumerated fields mean, by the names of the LLRP Toolkit's XML.

LLRP 1.1's additions bear names in the same style: the toolkit knows 1.0.1 only.
"""


def _values(names: str) -> dict[int, str]:
    return dict(enumerate(names.split()))


_ERRORS = ["ParameterError", "FieldError", "UnexpectedParameter", "MissingParameter", "DuplicateParameter",
           "OverflowParameter", "OverflowField", "UnknownParameter", "UnknownField"]  # fmt: skip
_MESSAGE_ERRORS = [*_ERRORS, "UnsupportedMessage", "UnsupportedVersion", "UnsupportedParameter"]
STATUS: dict[int, str] = {
    0: "M_Success",
    **{100 + i: f"M_{name}" for i, name in enumerate([*_MESSAGE_ERRORS, "UnexpectedMessage"])},
    **{200 + i: f"P_{name}" for i, name in enumerate([*_ERRORS, "UnsupportedParameter"])},
    300: "A_Invalid",
    301: "A_OutOfRange",
    401: "R_DeviceError",
}

_FAILED = "Nonspecific_Tag_Error No_Response_From_Tag Nonspecific_Reader_Error"
_MEMORY = "Tag_Memory_Overrun_Error Tag_Memory_Locked_Error"
_PASSWORD = "Incorrect_Password_Error"
"""Outcomes that several operations on a tag have in common, in their order; the password's came with LLRP 1.1."""

ENUMERATIONS: dict[str, dict[int, str]] = {
    "Status": STATUS,
    "AirProtocol": _values("Unspecified EPCGlobalClass1Gen2"),
    "CapabilitiesData": _values("All General_Device_Capabilities LLRP_Capabilities Regulatory_Capabilities "
                                "LLRP_Air_Protocol_Capabilities"),
    "ConfigData": _values("All Identification AntennaProperties AntennaConfiguration ROReportSpec "
                          "ReaderEventNotificationSpec AccessReportSpec LLRPConfigurationStateValue KeepaliveSpec "
                          "GPIPortCurrentState GPOWriteData EventsAndReports"),
    "ROSpecState": _values("Disabled Inactive Active"),
    "AccessSpecState": _values("Disabled Active"),
    "StartTrigger": _values("Null Immediate Periodic GPI"),
    "StopTrigger": _values("Null Duration GPI_With_Timeout"),
    "AIStopTrigger": _values("Null Duration GPI_With_Timeout Tag_Observation"),
    "ObservationTrigger": _values("Upon_Seeing_N_Tags_Or_Timeout "
                                  "Upon_Seeing_No_More_New_Tags_For_Tms_Or_Timeout "
                                  "N_Attempts_To_See_All_Tags_In_FOV_Or_Timeout"),
    "SurveyStopTrigger": _values("Null Duration N_Iterations_Through_Frequency_Range"),
    "AccessStopTrigger": _values("Null Operation_Count"),
    "IDType": _values("MAC_Address EPC"),
    "KeepaliveTrigger": _values("Null Periodic"),
    "GPIState": _values("Low High Unknown"),
    "ReportTrigger": _values("None Upon_N_Tags_Or_End_Of_AISpec Upon_N_Tags_Or_End_Of_ROSpec Upon_N_Seconds "
                             "Upon_N_Seconds_Or_End_Of_ROSpec Upon_N_Milliseconds "
                             "Upon_N_Milliseconds_Or_End_Of_ROSpec"),
    "AccessReportTrigger": _values("Whenever_ROReport_Is_Generated End_Of_AccessSpec"),
    "NotificationEvent": _values("Upon_Hopping_To_Next_Channel GPI_Event ROSpec_Event Report_Buffer_Fill_Warning "
                                 "Reader_Exception_Event RFSurvey_Event AISpec_Event AISpec_Event_With_Details "
                                 "Antenna_Event SpecLoop_Event"),
    "ROSpecEvent": _values("Start_Of_ROSpec End_Of_ROSpec Preemption_Of_ROSpec"),
    "SurveyEvent": _values("Start_Of_RFSurvey End_Of_RFSurvey"),
    "AISpecEvent": _values("End_Of_AISpec"),
    "AntennaEvent": _values("Antenna_Disconnected Antenna_Connected"),
    "ConnectionAttempt": _values("Success Failed_A_Reader_Initiated_Connection_Already_Exists "
                                 "Failed_A_Client_Initiated_Connection_Already_Exists "
                                 "Failed_Reason_Other_Than_A_Connection_Already_Exists "
                                 "Another_Connection_Attempted"),
    "CommunicationsStandard": _values("Unspecified US_FCC_Part_15 ETSI_302_208 ETSI_300_220 Australia_LIPD_1W "
                                      "Australia_LIPD_4W Japan_ARIB_STD_T89 Hong_Kong_OFTA_1049 Taiwan_DGT_LP0002 "
                                      "Korea_MIC_Article_5_2"),
    "DRValue": _values("DRV_8 DRV_64_3"),
    "MValue": _values("MV_FM0 MV_2 MV_4 MV_8"),
    "ForwardLinkModulation": _values("PR_ASK SSB_ASK DSB_ASK"),
    "SpectralMask": _values("Unknown SI MI DI"),
    "Truncate": _values("Unspecified Do_Not_Truncate Truncate"),
    "FilterTarget": _values("SL Inventoried_State_For_Session_S0 Inventoried_State_For_Session_S1 "
                            "Inventoried_State_For_Session_S2 Inventoried_State_For_Session_S3"),
    "AwareAction": _values("AssertSLOrA_DeassertSLOrB AssertSLOrA_Noop Noop_DeassertSLOrB NegateSLOrABBA_Noop "
                           "DeassertSLOrB_AssertSLOrA DeassertSLOrB_Noop Noop_AssertSLOrA Noop_NegateSLOrABBA"),
    "UnawareAction": _values("Select_Unselect Select_DoNothing DoNothing_Unselect Unselect_DoNothing "
                             "Unselect_Select DoNothing_Select"),
    "SingulationState": _values("State_A State_B"),
    "SingulationFlag": _values("SL Not_SL"),
    "LockPrivilege": _values("Read_Write Perma_Lock Perma_Unlock Unlock"),
    "LockDataField": _values("Kill_Password Access_Password EPC_Memory TID_Memory User_Memory"),
    "ReadResult": _values(f"Success {_FAILED} Memory_Overrun_Error Memory_Locked_Error {_PASSWORD}"),
    "WriteResult": _values(f"Success {_MEMORY} Insufficient_Power {_FAILED} {_PASSWORD}"),
    "KillResult": _values(f"Success Zero_Kill_Password_Error Insufficient_Power {_FAILED} {_PASSWORD}"),
    "LockResult": _values(f"Success Insufficient_Power {_FAILED} {_PASSWORD} {_MEMORY}"),
    "PermalockResult": _values(f"Success Insufficient_Power {_FAILED} {_PASSWORD} Tag_Memory_Overrun_Error"),
    "PermalockStatusResult": _values(f"Success {_FAILED} {_PASSWORD} Tag_Memory_Overrun_Error"),
}  # fmt: skip
