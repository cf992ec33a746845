// What the reader does. The answer is only whether it was taken; what came of it arrives over the stream like all else.

import { signal } from "@preact/signals";
import { remember, who } from "./settings";
import type { Answer, Deed, LineView, LotBeginning, Problem, Resolution } from "./views";

const PATIENCE_MS = 8_000;
const SNOOZE_US = 3_600_000_000;

/** What the gateway calls it when somebody was first and did something else. */
const OVER = new Set(["already-resolved", "not-in-quarantine", "already-answered", "already-closed"]);

/** Why something was not taken ("" where there was no answer), and what is wrong with which part of it. */
interface Failure {
  failed: string;
  mistakes: Problem["mistakes"];
  /** It was dealt with before: to try again is in vain. */
  over: boolean;
}
/** On its way; taken, while the stream has not told of it yet; or not taken. */
type Outcome = "sending" | "taken" | Failure;

/** What became of the last action about each thing, by its id. */
export const outcomes = signal<Readonly<Record<string, Outcome>>>({});

function settle(id: string, outcome: Outcome | undefined): void {
  const { [id]: _, ...others } = outcomes.value;
  outcomes.value = outcome ? { ...others, [id]: outcome } : others;
}

export const pending = (id: string): boolean => typeof outcomes.value[id] === "string";

export function failure(id: string): Failure | null {
  const outcome = outcomes.value[id];
  return typeof outcome === "object" ? outcome : null;
}

/** A person waits for the answer, or has yet to read that somebody else was first: it stays before their eyes. */
export const unsettled = (id: string): boolean => outcomes.value[id] === "sending" || failure(id)?.over === true;

/** What it was about is gone. */
export const forget = (id: string): void => settle(id, undefined);

/** Tell the gateway that somebody dealt with an exception. Saying the same twice changes nothing. */
export function resolveException(id: string, resolution: Resolution): void {
  void act(id, resolution.who, `exceptions/${encodeURIComponent(id)}/resolve`, resolution);
}

/** Take care of an exception. */
export function claimException(id: string, name: string): void {
  void act(id, name, `exceptions/${encodeURIComponent(id)}/claim`, { who: name });
}

/** Hear no more of an exception for an hour, unless it gets worse. */
export function snoozeException(id: string, name: string, nowUs: number): void {
  const body = { who: name, until_us: nowUs + SNOOZE_US };
  void act(id, name, `exceptions/${encodeURIComponent(id)}/snooze`, body);
}

/** Take a resolution back. */
export function reopenException(id: string, deed: Deed): void {
  void act(id, deed.who, `exceptions/${encodeURIComponent(id)}/reopen`, deed);
}

/** Let a lot that was kept in quarantine out of it. */
export function releaseLot(id: string, lot: string, deed: Deed): void {
  void act(id, deed.who, `lots/${encodeURIComponent(lot)}/release`, deed);
}

/** End a shipment as it is, or (`reopen`) wait for it again. */
export function endShipment(shipment: string, how: "close" | "reopen", deed: Deed): void {
  void act(`shipment ${shipment}`, deed.who, `shipments/${encodeURIComponent(shipment)}/${how}`, deed);
}

/** Say what a fruit in the review is. */
export function answerReview(id: string, answer: Answer): void {
  void act(id, answer.who, `reviews/${encodeURIComponent(id)}`, answer);
}

/** Say which lot runs over a line from now on. */
export function beginLot(id: string, line: LineView, lot: LotBeginning): void {
  void act(id, lot.who, `lines/${encodeURIComponent(line.name)}/lot`, lot);
}

async function act(id: string, name: string, path: string, body: object): Promise<void> {
  if (pending(id)) return;
  who.value = name;
  remember("who", name);
  settle(id, "sending");
  const failed = await post(`api/v1/${path}`, body);
  if (outcomes.value[id] === "sending") settle(id, failed ?? "taken"); // else nobody waits for it any more
}

/** Null when it was taken. */
async function post(path: string, body: object): Promise<Failure | null> {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return response.ok ? null : await reason(response);
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException) return NO_ANSWER; // no network, no answer in time
    throw error;
  }
}

const NO_ANSWER: Failure = { failed: "", mistakes: [], over: false };

/** The words of a problem+json answer, else its status. */
async function reason(response: Response): Promise<Failure> {
  const body: unknown = await response.json().catch(() => null);
  if (!isProblem(body)) return { ...NO_ANSWER, failed: String(response.status) };
  const slug = body.type.slice(body.type.lastIndexOf(":") + 1);
  return { failed: body.detail, mistakes: body.mistakes, over: OVER.has(slug) };
}

function isProblem(body: unknown): body is Required<Problem> {
  if (typeof body !== "object" || body === null || !("type" in body && "detail" in body && "mistakes" in body))
    return false;
  return typeof body.type === "string" && typeof body.detail === "string" && Array.isArray(body.mistakes);
}
