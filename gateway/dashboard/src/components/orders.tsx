// Replenishment: what was asked for, and how far it is.

import type { JSX } from "preact";
import { memo } from "../memo";
import { orders } from "../store";
import { itemTitle } from "../titles";
import type { OrderView } from "../views";
import { Say } from "../words";
import { Ago } from "./age";
import { Card, Empty } from "./card";
import { Figure } from "./figure";
import { Mark, type Meaning } from "./mark";

/** Orders that have ended and are still shown. */
const ENDED_SHOWN = 3;

const STEPS: readonly OrderView["state"][] = ["requested", "placed", "shipped", "received"];
const MEANING: Record<OrderView["state"], Meaning> = {
  requested: "quiet",
  placed: "quiet",
  shipped: "moving",
  received: "done",
  cancelled: "attention",
};

export function Orders(): JSX.Element {
  const all = Object.values(orders.value).sort((a, b) => b.requested_us - a.requested_us);
  const open = all.filter((order) => !ended(order));
  const past = all.filter(ended);
  const older = past.length - ENDED_SHOWN;
  return (
    <Card
      name="orders"
      area="orders"
      title={<Say id="orders.title" />}
      state={<Figure value={open.length} size="strong" />}
    >
      {all.length === 0 && (
        <Empty>
          <Say id="orders.empty" />
        </Empty>
      )}
      <ul class="rows">
        {[...open, ...past.slice(0, ENDED_SHOWN)].map((order) => (
          <Order key={order.key} order={order} />
        ))}
      </ul>
      {older > 0 && (
        <p class="muted">
          <Say id="orders.older" count={older} />
        </p>
      )}
    </Card>
  );
}

const ended = ({ state }: OrderView): boolean => state === "received" || state === "cancelled";

const Order = memo(function Order({ order }: { order: OrderView }): JSX.Element {
  const done = STEPS.indexOf(order.state) + 1;
  return (
    <li data-order={order.key} data-state={order.state}>
      <span class="row-name">
        <bdi>{itemTitle(order.sku)}</bdi>
      </span>
      <span class="row-number">
        {order.received > 0 && order.received < order.units ? (
          <Say id="orders.partly" received={<Figure value={order.received} />} units={<Figure value={order.units} />} />
        ) : (
          <Say id="orders.units" units={<Figure value={order.units} />} />
        )}
      </span>
      <span class="row-note muted">
        {order.number === null ? <Say id="orders.noNumber" /> : <bdi>{order.number}</bdi>}
        {order.supplier !== null && <bdi> {order.supplier}</bdi>}
      </span>
      <span class="row-state">
        {order.state !== "cancelled" && <Steps done={done} />}
        <Mark meaning={MEANING[order.state]}>
          <Say id={`orders.${order.state}`} />
        </Mark>
        <span class="muted">
          <Ago us={order.updated_us} />
        </span>
      </span>
    </li>
  );
});

function Steps({ done }: { done: number }): JSX.Element {
  return (
    <span class="steps" aria-hidden="true">
      {STEPS.map((step, i) => (
        <i key={step} class={i < done ? "done" : ""} />
      ))}
    </span>
  );
}
