// What the address asks for besides the page itself: `#shipment/S1` opens a shipment, so that it can be linked to.

import { signal } from "@preact/signals";

const SHIPMENT = "#shipment/";

const asked = (): string | null => {
  if (!location.hash.startsWith(SHIPMENT)) return null;
  try {
    return decodeURIComponent(location.hash.slice(SHIPMENT.length)) || null;
  } catch {
    return null; // nobody makes such an address but by hand
  }
};

/** The shipment that is looked at. */
export const shipmentAsked = signal<string | null>(asked());

addEventListener("hashchange", () => {
  shipmentAsked.value = asked();
});

export const shipmentAddress = (id: string): string => SHIPMENT + encodeURIComponent(id);

/** Back to the page alone. */
export function leaveShipment(): void {
  history.pushState(null, "", location.pathname + location.search);
  shipmentAsked.value = null;
}
