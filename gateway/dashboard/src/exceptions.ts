// What happened and what to do about it, in words, for each kind of exception.

import type { Key } from "./messages";
import { shipments } from "./store";
import { titleOf } from "./titles";
import type { ExceptionView } from "./views";
import { decimal, rate, type Sentence, say, sentence } from "./words";

type Kind = ExceptionView["kind"];

/** What people usually did about each kind, to be chosen with one touch. */
const USUALLY: Record<Kind, readonly (Key & `did.${string}`)[]> = {
  missing: ["did.short", "did.found"],
  unexpected: ["did.stocked", "did.returned"],
  unknown_direction: ["did.inside", "did.outside"],
  empty_pass: ["did.tagged", "did.nothing"],
  device_lost: ["did.repaired", "did.reported"],
  agent_silent: ["did.repaired", "did.reported"],
  data_lost: ["did.counted", "did.reported"],
  temperature: ["did.doorClosed", "did.goodsChecked"],
  clock_stepped: ["did.reported"],
  bad_message: ["did.reported"],
  unknown_line: ["did.reported"],
  negative_stock: ["did.counted"],
  quality: ["did.resorted", "did.downgraded"],
  drift: ["did.lens", "did.lamps"],
  gate_missed: ["did.slowed", "did.reported"],
  quarantine_shipped: ["did.calledBack", "did.customerTold"],
};

export const usualReasons = (kind: Kind): string[] => USUALLY[kind].map((key) => say(key));

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
    default:
      return sentence(`${kind}.what`, { subject });
  }
}

/** What to do about it. */
export function whatToDo(exception: ExceptionView): Sentence {
  const { lot } = exception.params;
  if (exception.kind === "data_lost" && lot !== undefined) return sentence("data_lost.doLot", { lot });
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

function quality(exception: ExceptionView, subject: string): Sentence {
  const share = figure(exception, "rate");
  const limit = figure(exception, "limit");
  if (share === undefined || limit === undefined) return sentence("quality.what", { subject });
  return sentence("quality.whatRate", { subject, rate: rate(share), limit: rate(limit) });
}

function figure({ params }: ExceptionView, name: string): number | undefined {
  const value = params[name];
  return typeof value === "number" ? value : undefined;
}
