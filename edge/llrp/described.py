"""A message as people and their scripts read it: tags with the house's names, all else with the standard's."""

from edge.llrp.body import Fields

_REPORT = "RO_ACCESS_REPORT"


def described(name: str, message_id: int, fields: Fields) -> Fields:
    """`type`, `id`, and `tags` of a report or `fields` of any other; `fields` are the message's own."""
    out: Fields = {"type": name, "id": message_id}
    if name != _REPORT:
        return out | {"fields": fields}
    tags = fields.get("TagReportData", [])
    out["tags"] = [_tag(tag) for tag in (tags if isinstance(tags, list) else [tags]) if isinstance(tag, dict)]
    others = {key: value for key, value in fields.items() if key != "TagReportData"}
    return out | {"fields": others} if others else out


_TAG_FIELDS = {
    "AntennaID": ("AntennaID", "antenna"),
    "PeakRSSI": ("PeakRSSI", "rssi_dbm"),
    "TagSeenCount": ("TagCount", "count"),
    "FirstSeenTimestampUTC": ("Microseconds", "first_seen_us"),
    "LastSeenTimestampUTC": ("Microseconds", "last_seen_us"),
    "FirstSeenTimestampUptime": ("Microseconds", "first_seen_us"),
    "LastSeenTimestampUptime": ("Microseconds", "last_seen_us"),
    "ChannelIndex": ("ChannelIndex", "channel"),
    "ROSpecID": ("ROSpecID", "rospec"),
    "SpecIndex": ("SpecIndex", "spec_index"),
    "InventoryParameterSpecID": ("InventoryParameterSpecID", "inventory_spec"),
    "AccessSpecID": ("AccessSpecID", "access_spec"),
    "C1G2_PC": ("PC_Bits", "pc"),
    "C1G2_CRC": ("CRC", "crc"),
}


def _tag(report: Fields) -> Fields:
    """One TagReportData with the house's names; what has none stays under `other`."""
    out: Fields = {}
    other: Fields = {}
    for name, value in report.items():
        match name, value:
            case "EPC_96", {"EPC": str(epc)}:
                out["epc"] = epc
            case "EPCData", {"EPC": {"Bits": int(bits), "Hex": str(epc)}}:
                out |= {"epc": epc, "epc_bits": bits} if bits % 8 else {"epc": epc}
            case str(), dict() if name in _TAG_FIELDS:
                field, ours = _TAG_FIELDS[name]
                out[ours] = value[field]
                if name.endswith("Uptime"):
                    out["clock"] = "uptime"
            case _:
                other[name] = value
    return out | {"other": other} if other else out
