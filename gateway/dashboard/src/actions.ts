// What the reader does. The answer is only whether it was taken; what came of it arrives over the stream like all else.

import { signal } from "@preact/signals";
import { remember, who } from "./settings";
import type { Resolution } from "./views";

const PATIENCE_MS = 8_000;

/** `sending`, or the reason why an action was not taken ("" where there was no answer), by exception. */
export const outcomes = signal<Readonly<Record<string, "sending" | { failed: string }>>>({});

function settle(id: string, outcome: "sending" | { failed: string } | undefined): void {
  const { [id]: _, ...others } = outcomes.value;
  outcomes.value = outcome ? { ...others, [id]: outcome } : others;
}

/** Tell the gateway that somebody dealt with an exception. Saying the same twice changes nothing. */
export async function resolveException(id: string, resolution: Resolution): Promise<boolean> {
  if (outcomes.value[id] === "sending") return false;
  who.value = resolution.who;
  remember("who", resolution.who);
  settle(id, "sending");
  const failed = await post(`api/v1/exceptions/${encodeURIComponent(id)}/resolve`, resolution);
  settle(id, failed === null ? undefined : { failed });
  return failed === null;
}

/** Null when it was taken, else why not. */
async function post(path: string, body: Resolution): Promise<string | null> {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return response.ok ? null : await reason(response);
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException) return ""; // no network, no answer in time
    throw error;
  }
}

/** The words of a problem+json answer, else its status. */
async function reason(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => null);
  const told = typeof body === "object" && body !== null && "detail" in body ? body.detail : null;
  return typeof told === "string" ? told : String(response.status);
}
