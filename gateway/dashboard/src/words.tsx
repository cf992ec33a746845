// Sentences from the table of messages, and numbers and times as the reader writes them. Names from outside are always text, and isolated, so that neither their
// letters nor their direction can touch the sentence around them.

import type { ComponentChild, JSX } from "preact";
import type { HolesOf, Key } from "./messages";
import { messages } from "./messages";
import { language, locale } from "./settings";

type Params<K extends Key, Value> = [HolesOf<K>] extends [never]
  ? Record<never, never>
  : { [Name in HolesOf<K>]: Name extends "count" ? number : Value };
type Given<K extends Key> = [HolesOf<K>] extends [never] ? [] : [Params<K, string | number>];

/** A sentence that is not yet in a language. */
export interface Sentence {
  readonly id: Key;
  readonly params: Readonly<Record<string, string | number>>;
}

export function sentence<K extends Key>(id: K, ...[params]: Given<K>): Sentence {
  return { id, params: params ?? {} };
}

/** A sentence as markup: numbers are written as the reader does, strings are isolated. */
export function Told({ sentence: { id, params } }: { sentence: Sentence }): JSX.Element {
  return <Filled id={id} params={params} />;
}

/** The same, where markup stands in the holes. */
export function Say<K extends Key>(props: { id: K } & Params<K, ComponentChild>): JSX.Element {
  return <Filled id={props.id} params={props} />;
}

/** A sentence as plain text, for labels and announcements. */
export function plain({ id, params }: Sentence): string {
  return pieces(id, params.count)
    .map((part, i) => {
      if (i % 2 === 0) return part;
      const value = params[part];
      return typeof value === "number" ? number(value) : ISOLATE.join(value ?? "");
    })
    .join("");
}

export function say<K extends Key>(id: K, ...given: Given<K>): string {
  return plain(sentence(id, ...given));
}

/** FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE: what <bdi> is in markup. */
const ISOLATE = ["\u2068", "\u2069"] as const;

function Filled({ id, params }: { id: Key; params: Readonly<Record<string, ComponentChild>> }): JSX.Element {
  const parts = pieces(id, params.count);
  return <>{parts.map((part, i) => (i % 2 === 0 ? part : <Hole key={part} value={params[part]} />))}</>;
}

function Hole({ value }: { value: ComponentChild }): JSX.Element {
  if (typeof value === "string") return <bdi>{value}</bdi>;
  return <>{typeof value === "number" ? number(value) : value}</>;
}

/** Text and names of holes in turn, in the reader's language and the plural form of `count`. */
function pieces(id: Key, count: unknown): string[] {
  const text: string | { one: string; other: string } = messages[id][language.value];
  if (typeof text === "string") return text.split(HOLE);
  return (typeof count === "number" && pluralRule().select(count) === "one" ? text.one : text.other).split(HOLE);
}

const HOLE = /\{(\w+)\}/;

// --- numbers and times in the reader's locale --------------------------------------------------------------------------

function perLocale<T>(make: (locale: string) => T): () => T {
  const made = new Map<string, T>();
  return () => {
    const known = made.get(locale.value) ?? make(locale.value);
    made.set(locale.value, known);
    return known;
  };
}

const pluralRule = perLocale((tag) => new Intl.PluralRules(tag));
const plainNumber = perLocale((tag) => new Intl.NumberFormat(tag, { maximumFractionDigits: 0 }));
const oneDecimal = perLocale(
  (tag) => new Intl.NumberFormat(tag, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
);
const signedDecimal = perLocale(
  (tag) => new Intl.NumberFormat(tag, { maximumFractionDigits: 1, signDisplay: "exceptZero" }),
);
const wholePercent = perLocale((tag) => new Intl.NumberFormat(tag, { style: "percent" }));
const finePercent = perLocale((tag) => new Intl.NumberFormat(tag, { style: "percent", maximumFractionDigits: 1 }));
const timeOfDay = perLocale(
  (tag) => new Intl.DateTimeFormat(tag, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
);
const hourAndMinute = perLocale(
  (tag) => new Intl.DateTimeFormat(tag, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
);
const dayAndTime = perLocale((tag) => new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "medium" }));

export const number = (value: number): string => plainNumber().format(value);
export const decimal = (value: number): string => oneDecimal().format(value);
export const signed = (value: number): string => signedDecimal().format(value);
export const percent = (value: number): string => wholePercent().format(value);
/** A share that is often small: 2.9 %. */
export const rate = (value: number): string => finePercent().format(value);
export const time = (us: number): string => timeOfDay().format(us / 1000);
export const timeOfMinute = (us: number): string => hourAndMinute().format(us / 1000);
export const dateTime = (us: number): string => dayAndTime().format(us / 1000);

const pad = (value: number): string => String(value).padStart(2, "0");

/** A span of time: 00:12 below an hour, then hours, then days. */
export function span(us: number): string {
  const seconds = Math.max(0, Math.floor(us / 1e6));
  if (seconds < 3600) return `${pad(Math.floor(seconds / 60))}:${pad(seconds % 60)}`;
  if (seconds < 48 * 3600) return say("age.hours", { hours: Math.floor(seconds / 3600) });
  return say("age.days", { count: Math.floor(seconds / 86_400) });
}
