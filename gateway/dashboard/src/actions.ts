// What the reader does. The answer is only whether it was taken; what came of it arrives over the stream like all else.

import { signal } from "@preact/signals";
import { remember, who } from "./settings";
import type { Answer, ExceptionView, Resolution } from "./views";

const PATIENCE_MS = 8_000;

/** On its way; taken, while the stream has not told of it yet; or the reason why not ("" where there was no answer). */
type Outcome = "sending" | "taken" | { failed: string };

/** What became of the last action about each thing, by its id. */
export const outcomes = signal<Readonly<Record<string, Outcome>>>({});

function settle(id: string, outcome: Outcome | undefined): void {
  const { [id]: _, ...others } = outcomes.value;
  outcomes.value = outcome ? { ...others, [id]: outcome } : others;
}

export const pending = (id: string): boolean => typeof outcomes.value[id] === "string";

/** What it was about is gone. */
export const forget = (id: string): void => settle(id, undefined);

/** Tell the gateway that somebody dealt with an exception. Saying the same twice changes nothing. */
export function resolveException({ id }: ExceptionView, resolution: Resolution): void {
  void act(id, resolution.who, `exceptions/${encodeURIComponent(id)}/resolve`, resolution);
}

/** Let a lot out of quarantine, which ends its exception, too. */
export function releaseLot({ id, subject }: ExceptionView, resolution: Resolution): void {
  void act(id, resolution.who, `lots/${encodeURIComponent(subject)}/release`, resolution);
}

/** Say what a fruit in the review is. */
export function answerReview(id: string, answer: Answer): void {
  void act(id, answer.who, `reviews/${encodeURIComponent(id)}`, answer);
}

async function act(id: string, name: string, path: string, body: object): Promise<void> {
  if (pending(id)) return;
  who.value = name;
  remember("who", name);
  settle(id, "sending");
  const failed = await post(`api/v1/${path}`, body);
  settle(id, failed === null ? "taken" : { failed });
}

/** Null when it was taken, else why not. */
async function post(path: string, body: object): Promise<string | null> {
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
