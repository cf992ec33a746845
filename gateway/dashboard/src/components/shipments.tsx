// The way to a shipment, and its place on the page. What is shown of it is a part that is loaded when one is asked for.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Part } from "../part";
import { shipmentAddress, shipmentAsked } from "../route";
import { Say } from "../words";
import { Card } from "./card";
import { Unloaded } from "./unloaded";

const part = new Part(() => import("./shipment"));

export function ShipmentLink({ id }: { id: string }): JSX.Element {
  return (
    <a class="id" href={shipmentAddress(id)}>
      <bdi>{id}</bdi>
    </a>
  );
}

export function ShipmentPage(): JSX.Element | null {
  const id = shipmentAsked.value;
  useEffect(() => {
    if (id !== null) part.want();
  }, [id]);
  if (id === null) return null;
  if (part.here) return <part.here.Shipment key={id} id={id} />;
  return (
    <Card name="shipment" area="shipment" title={<Say id="shipment.title" shipment={id} />}>
      {part.failed && <Unloaded again={part.again} />}
    </Card>
  );
}
