// What happened and what to do about it, in words, for each kind of exception.

import type { Key } from "./messages";
import { shipments } from "./store";
import { titleOf } from "./titles";
import type { ExceptionView } from "./views";
import { decimal, rate, type Sentence, say, sentence } from "./words";

type Usual = ExceptionView["kind"] | "fruit_lost";

/** What people usually did about each kind, to be chosen with one touch. */
const USUALLY: Record<Usual, readonly (Key & `did.${string}`)[]> = {
  missing: ["did.short", "did.found"],
  unexpected: ["did.stocked", "did.returned"],
  unknown_direction: ["did.inside", "did.outside"],
  empty_pass: ["did.tagged", "did.nothing"],
  device_lost: ["did.repaired", "did.reported"],
  agent_silent: ["did.repaired", "did.reported"],
  data_lost: ["did.counted", "did.reported"],
  fruit_lost: ["did.lotLooked", "did.reported"],
  temperature: ["did.doorClosed", "did.goodsChecked"],
  clock_stepped: ["did.reported"],
  bad_message: ["did.reported"],
  unknown_line: ["did.reported"],
  negative_stock: ["did.counted"],
  quality: ["did.resorted", "did.downgraded", "did.unfit"],
  drift: ["did.lens", "did.lamps"],
  gate_missed: ["did.slowed", "did.reported"],
  quarantine_shipped: ["did.calledBack", "did.customerTold"],
};

export const usualReasons = (kind: Usual): string[] => USUALLY[kind].map((key) => say(key));

/** As `USUALLY` knows it: fruit that was judged and never told cannot be counted any more. */
export const usual = (exception: ExceptionView): Usual =>
  lotsLacking(exception) === undefined ? exception.kind : "fruit_lost";

/** What happened. */
export function whatHappened(exception: ExceptionView): Sentence {
  const { kind, count } = exception;
  const subject = titleOf(exception.subject);
  switch (kind) {
    case "missing":
    case "unexpected":
    case "unknown_direction":
    case "empty_pass":
    case "bad_message":
    case "unknown_line":
    case "gate_missed":
    case "quarantine_shipped":
      return sentence(`${kind}.what`, { count, subject });
    case "temperature":
      return temperature(exception, subject);
    case "quality":
      return quality(exception, subject);
    case "data_lost":
      return sentence(lotsLacking(exception) === undefined ? "data_lost.what" : "data_lost.whatFruit", {
        count,
        subject,
      });
    default:
      return sentence(`${kind}.what`, { subject });
  }
}

/** What to do about it. */
export function whatToDo(exception: ExceptionView): Sentence {
  const lots = lotsLacking(exception);
  if (lots !== undefined) return sentence("data_lost.doLots", { lots });
  const shipped = exception.kind === "quality" && figure(exception, "shipped");
  if (shipped) return sentence("quality.doShipped", { count: shipped });
  if (exception.kind !== "missing") return sentence(`${exception.kind}.do`);
  const shipment = shipments.value[exception.subject];
  const expected = figure(exception, "expected") ?? shipment?.expected;
  const seen = figure(exception, "seen") ?? shipment?.seen;
  if (expected === undefined || seen === undefined) return sentence("missing.do");
  return sentence("missing.doSeen", { expected, seen });
}

function temperature(exception: ExceptionView, subject: string): Sentence {
  const value = figure(exception, "value");
  const min = figure(exception, "min");
  const max = figure(exception, "max");
  if (value !== undefined && max !== undefined && value > max)
    return sentence("temperature.high", { subject, value: decimal(value), max: decimal(max) });
  if (value !== undefined && min !== undefined && value < min)
    return sentence("temperature.low", { subject, value: decimal(value), min: decimal(min) });
  return sentence("temperature.what", { subject });
}

/** The share of a lot goes on to change while its stock is in quarantine. */
function quality(exception: ExceptionView, subject: string): Sentence {
  const share = figure(exception, "rate");
  const limit = figure(exception, "limit");
  if (share === undefined || limit === undefined) return sentence("quality.what", { subject });
  const now = figure(exception, "now") ?? share;
  if (now > limit) return sentence("quality.whatRate", { subject, rate: rate(now), limit: rate(limit) });
  return sentence("quality.wasRate", { subject, rate: rate(share), limit: rate(limit), now: rate(now) });
}

/** The lots whose figures lack fruit that their line counted and nobody told, where data was lost that way. */
function lotsLacking({ kind, params }: ExceptionView): string | undefined {
  return kind === "data_lost" && params.lots !== undefined ? String(params.lots) : undefined;
}

function figure({ params }: ExceptionView, name: string): number | undefined {
  const value = params[name];
  return typeof value === "number" ? value : undefined;
}
