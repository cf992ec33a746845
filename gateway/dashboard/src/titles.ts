// Names for people: the site file's titles in the reader's language, else the name itself.

import { language } from "./settings";
import { doors, lines, stock, zones } from "./store";
import type { TitleView } from "./views";
import { say } from "./words";

/** What the gateway calls the SKU of a tag that is no stock unit. */
const UNIDENTIFIED = "unidentified";

export const inLanguage = (title: TitleView): string => title[language.value];

const collator = new Intl.Collator("en", { numeric: true });
/** The same order in every language, dock-2 before dock-10. */
export const byName = (a: string, b: string): number => collator.compare(a, b);

/** Zones in the order of the site file, and any that it does not know after them. */
export function byZone(a: string, b: string): number {
  const order = zones.value.map((zone) => zone.name);
  const rank = (zone: string) => (order.indexOf(zone) + order.length + 1) % (order.length + 1);
  return rank(a) - rank(b) || byName(a, b);
}

export function zoneTitle(name: string): string {
  const zone = zones.value.find((candidate) => candidate.name === name);
  return zone ? inLanguage(zone.title) : name;
}

/** Whether a SKU stands for an item, not for tags that are none. */
export const isListed = (sku: string): boolean => sku !== UNIDENTIFIED;

export function itemTitle(sku: string): string {
  const view = stock.value[sku];
  if (view) return inLanguage(view.title);
  return sku === UNIDENTIFIED ? say("item.unidentified") : sku;
}

export function doorTitle(name: string): string {
  const view = doors.value[name];
  return view ? inLanguage(view.title) : name;
}

/** The title of whatever has this name: a door, line, zone or item; shipments, lots, devices and agents are their names. */
export function titleOf(name: string): string {
  const view =
    doors.value[name] ?? lines.value[name] ?? stock.value[name] ?? zones.value.find((zone) => zone.name === name);
  return view ? inLanguage(view.title) : name;
}
