"""What the log must know of a site file: its zones, doors, devices and products, without the addresses and secrets."""

from collections.abc import Iterator

from contract.site import Item, Site, Zone
from gateway.records.stockrecords import CountRulesOf, DeviceOf, DoorOf, Product, SensorOf, SiteDescribed, ZoneOf


def described(site: Site, at_us: int) -> SiteDescribed:
    """The record that tells of a site file. `at_us`: when it was read."""
    return SiteDescribed(
        at_us=at_us,
        site=site.site,
        settle_us=round(site.gateway.shipment_settle_s * 1e6),
        silent_us=round(site.gateway.silent_after_s * 1e6),
        zones=tuple(map(_zone, site.zones)),
        doors=tuple(
            DoorOf(name=door.name, agent=door.agent, inside=door.inside, outside=door.outside) for door in site.doors
        ),
        devices=tuple(_devices(site).values()),
        products=tuple(map(_product, site.items)),
        sensors=tuple(_sensors(site)),
        counts=CountRulesOf(**site.gateway.counts.model_dump()),
    )


def _zone(zone: Zone) -> ZoneOf:
    limits, humidity = zone.temperature, zone.humidity
    return ZoneOf(
        name=zone.name,
        en=zone.title.en,
        zh=zone.title.zh,
        parent=zone.parent,
        min_c=limits.min_c if limits else None,
        max_c=limits.max_c if limits else None,
        warm_s=limits.for_minutes * 60 if limits else 0.0,
        min_pct=humidity.min_pct if humidity else None,
        max_pct=humidity.max_pct if humidity else None,
        humid_s=humidity.for_minutes * 60 if humidity else 0.0,
    )


def _product(item: Item) -> Product:
    return Product(
        sku=item.sku,
        gtin=item.gtin,
        en=item.title.en,
        zh=item.title.zh,
        reorder_point=item.reorder_point,
        order_up_to=item.order_up_to,
        pack=item.pack,
        abc=item.abc,
        shelf_life_days=item.shelf_life_days,
    )


def _devices(site: Site) -> dict[str, DeviceOf]:
    """By name; of two with one name the last."""
    found = [DeviceOf(name=agent.name, kind="agent", agent=agent.name) for agent in site.agents]
    found += [DeviceOf(name=device.name, kind="modbus", agent=device.agent) for device in site.modbus]
    found += [
        DeviceOf(name=reader.name, kind="reader", agent=door.agent, door=door.name)
        for door in site.doors
        for reader in door.readers
    ]
    found += [
        DeviceOf(name=reader.name, kind="reader", agent=reader.agent, zones=tuple(sorted({*reader.zones.values()})))
        for reader in site.zone_readers
    ]
    found += [DeviceOf(name=line.camera.name, kind="camera", agent=line.agent) for line in site.lines]
    return {device.name: device for device in found}


def _sensors(site: Site) -> Iterator[SensorOf]:
    open_minutes = {zone.name: zone.door_open_minutes for zone in site.zones}
    for device in site.modbus:
        for register in device.registers:
            if register.meaning in ("temperature_c", "humidity_pct", "door_open"):
                minutes = register.open_minutes
                if minutes is None and register.zone is not None:
                    minutes = open_minutes.get(register.zone)
                yield SensorOf(
                    name=register.name,
                    device=device.name,
                    agent=device.agent,
                    every_s=register.every_s,
                    open_s=minutes * 60 if minutes is not None and register.meaning == "door_open" else None,
                )
