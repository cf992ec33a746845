// What happened and what to do about it, in words, for each kind of exception.

import type { Key } from "./messages";
import { shipments } from "./store";
import { doorTitle, itemTitle, titleOf } from "./titles";
import type { ExceptionView } from "./views";
import { decimal, rate, type Sentence, say, sentence } from "./words";

type Usual = ExceptionView["kind"] | "fruit_lost";

/** What people usually did about each kind, to be chosen with one touch. */
const USUALLY: Record<Usual, readonly (Key & `did.${string}`)[]> = {
  missing: ["did.short", "did.found"],
  unexpected: ["did.stocked", "did.returned"],
  short: ["did.short", "did.counted"],
  over: ["did.stocked", "did.returned"],
  wrong_door: ["did.carried", "did.stocked"],
  wrong_pallet: ["did.restacked", "did.stocked"],
  misplaced: ["did.carried", "did.counted"],
  probably_gone: ["did.found", "did.counted"],
  expired: ["did.scrapped", "did.goodsChecked"],
  count_variance: ["did.counted"],
  disk_low: ["did.reported"],
  unknown_direction: ["did.inside", "did.outside"],
  empty_pass: ["did.tagged", "did.nothing"],
  device_lost: ["did.repaired", "did.reported"],
  agent_silent: ["did.repaired", "did.reported"],
  data_lost: ["did.counted", "did.reported"],
  fruit_lost: ["did.lotLooked", "did.reported"],
  temperature: ["did.doorClosed", "did.goodsChecked"],
  excursion: ["did.doorClosed", "did.goodsChecked"],
  door_open: ["did.doorClosed", "did.repaired"],
  sensor_fault: ["did.repaired", "did.reported"],
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
    case "over":
    case "wrong_pallet":
    case "misplaced":
    case "probably_gone":
    case "count_variance":
    case "short":
      if (isDoubtful(exception)) return sentence("missing.whatDoubtful", { count, subject });
      if (figure(exception, "late")) return sentence("unexpected.whatLate", { count, subject });
      return sentence(`${kind}.what`, { count, subject });
    case "wrong_door":
      return sentence("wrong_door.what", { count, subject, door: doorTitle(word(exception, "came")) });
    case "expired":
      return sentence("expired.what", { count, item: itemTitle(word(exception, "sku")), lot: word(exception, "lot") });
    case "temperature":
      return temperature(exception, subject);
    case "excursion":
      return excursion(exception, subject);
    case "sensor_fault":
      return sentence(exception.params.state === "silent" ? "sensor_fault.silent" : "sensor_fault.what", { subject });
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
  if (isDoubtful(exception)) return sentence("missing.doDoubtful", { pallet: word(exception, "pallet") });
  if (exception.kind === "wrong_door") return sentence("wrong_door.do", { door: doorTitle(word(exception, "door")) });
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

function excursion(exception: ExceptionView, subject: string): Sentence {
  const [worst, min, max, minutes] = ["worst", "min", "max", "minutes"].map((name) => figure(exception, name));
  if (worst === undefined || min === undefined || max === undefined || minutes === undefined)
    return sentence("excursion.what", { subject });
  const told = { subject, minutes, worst: decimal(worst) };
  if (exception.params.quantity === "humidity_pct")
    return sentence("excursion.humidity", { ...told, min: decimal(min), max: decimal(max) });
  if (worst > max) return sentence("excursion.high", { ...told, max: decimal(max) });
  return sentence("excursion.low", { ...told, min: decimal(min) });
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

/** Nothing is known to be missing: too few cases of a pallet were read to believe in the others. */
const isDoubtful = ({ fix }: ExceptionView): boolean => fix === "count-pallet";

const word = ({ params }: ExceptionView, name: string): string => String(params[name] ?? "");

function figure({ params }: ExceptionView, name: string): number | undefined {
  const value = params[name];
  return typeof value === "number" ? value : undefined;
}
