// What the site holds: each item, where it stands, when it will be ordered again and what is already coming.

import type { JSX } from "preact";
import { memo } from "../memo";
import { stock, zones } from "../store";
import { byZone, inLanguage, zoneTitle } from "../titles";
import type { StockView, ZoneView } from "../views";
import { Say, say } from "../words";
import { Ago } from "./age";
import { Card, Empty } from "./card";
import { Figure } from "./figure";
import { Mark } from "./mark";
import { Spark } from "./spark";

const COLUMNS = 4;

export function Stock(): JSX.Element {
  const views = Object.values(stock.value); // in the order of the site file
  const newest = Math.max(0, ...views.map((view) => view.updated_us ?? 0));
  const counted = newest > 0;
  return (
    <Card
      name="stock"
      area="stock"
      title={<Say id="stock.title" />}
      state={
        counted && (
          <span class="muted">
            <Ago us={newest} />
          </span>
        )
      }
    >
      {!counted && (
        <Empty>
          <Say id="stock.empty" />
        </Empty>
      )}
      {views.length > 0 && (
        <div class="scroll">
          <table aria-label={say("stock.table")}>
            <thead>
              <tr>
                <th scope="col">
                  <Say id="stock.item" />
                </th>
                <Columns render={(zone) => <bdi>{zoneTitle(zone)}</bdi>} head />
                <th scope="col" class="number">
                  <Say id="stock.onHand" />
                </th>
                <th scope="col" class="number">
                  <Say id="stock.reorder" />
                </th>
                <th scope="col" class="number">
                  <Say id="stock.onOrder" />
                </th>
                <th scope="col" class="trend">
                  <Say id="stock.trend" />
                </th>
              </tr>
            </thead>
            <tbody>
              {views.map((view) => (
                <Row key={view.sku} view={view} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

const Row = memo(function Row({ view }: { view: StockView }): JSX.Element {
  const title = inLanguage(view.title);
  return (
    <tr data-sku={view.sku}>
      <th scope="row">
        <div class="item">
          <bdi>{title}</bdi>
          <Need view={view} />
          {view.quarantined > 0 && (
            <Mark meaning="attention">
              <Say id="stock.quarantined" count={view.quarantined} />
            </Mark>
          )}
        </div>
        <div class={zones.value.length > COLUMNS ? "zones always" : "zones"}>
          {Object.entries(view.zones)
            .sort(([a], [b]) => byZone(a, b))
            .map(([zone, units]) => (
              <span key={zone} data-zone={zone} class={units < 0 ? "wrong" : "muted"}>
                <Say id="stock.inZone" zone={zoneTitle(zone)} units={<Figure value={units} />} />
              </span>
            ))}
        </div>
      </th>
      <Columns render={(zone) => <Level units={view.zones[zone] ?? 0} />} />
      <td class="number">
        <Figure value={view.units} size="strong" />
      </td>
      <td class="number muted">
        <Figure value={view.reorder_point} />
      </td>
      <td class="number">{view.on_order > 0 ? <Figure value={view.on_order} /> : <span class="muted">–</span>}</td>
      <td class="trend">
        <Trend view={view} title={title} />
      </td>
    </tr>
  );
});

/** A column for each zone, where there are few and the screen is wide; else they stand under the item. */
function Columns({
  render,
  head = false,
}: {
  render: (zone: string) => JSX.Element;
  head?: boolean;
}): JSX.Element | null {
  if (zones.value.length > COLUMNS) return null;
  const cell = ({ name }: ZoneView) =>
    head ? (
      <th key={name} scope="col" class="number zone-column">
        {render(name)}
      </th>
    ) : (
      <td key={name} class="number zone-column" data-zone={name}>
        {render(name)}
      </td>
    );
  return <>{zones.value.map(cell)}</>;
}

function Level({ units }: { units: number }): JSX.Element {
  return (
    <span class={units < 0 ? "wrong" : "muted"}>
      <Figure value={units} />
    </span>
  );
}

function Trend({ view, title }: { view: StockView; title: string }): JSX.Element {
  const levels = view.trace.map(([, units]) => units);
  const low = Math.min(view.units, ...levels);
  const high = Math.max(view.units, ...levels);
  const label = say("stock.trendOf", { item: title, low, high, now: view.units });
  return <Spark trace={view.trace} nowUs={view.updated_us ?? 0} limit={view.reorder_point} label={label} />;
}

/** A word where the stock needs one; nothing where all is well. */
function Need({ view }: { view: StockView }): JSX.Element | null {
  if (view.units < 0)
    return (
      <Mark meaning="wrong">
        <Say id="stock.negative" />
      </Mark>
    );
  const sellable = view.units - view.quarantined;
  if (view.updated_us === null || sellable > view.reorder_point) return null;
  if (sellable + view.on_order > view.reorder_point)
    return (
      <Mark meaning="moving">
        <Say id="stock.coming" />
      </Mark>
    );
  return (
    <Mark meaning="attention">
      <Say id="stock.low" />
    </Mark>
  );
}
