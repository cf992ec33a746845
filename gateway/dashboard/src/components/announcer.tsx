// What a screen reader is told: counts politely and not too often, what is critical at once.

import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { whatHappened } from "../exceptions";
import { doors, known, openExceptions, stale } from "../store";
import { inLanguage } from "../titles";
import type { DoorView } from "../views";
import { plain, say } from "../words";

/** Counts are read out at most this often. */
const POLITE_EVERY_MS = 10_000;

export function Announcer(): JSX.Element {
  return (
    <>
      <Counts />
      <Critical />
    </>
  );
}

function Counts(): JSX.Element {
  const text = useSignal("");
  const said = useRef<Readonly<Record<string, DoorView>> | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useSignalEffect(() => {
    const now = doors.value;
    if (!known.value || stale.value || timer.current) return;
    said.current ??= now;
    if (said.current === now) return;
    timer.current = setTimeout(() => {
      timer.current = null;
      text.value = changedDoors(said.current ?? {}, doors.value).join(" ");
      said.current = doors.value;
    }, POLITE_EVERY_MS);
  });
  return (
    <div class="unseen" role="status" aria-live="polite">
      {text}
    </div>
  );
}

function changedDoors(before: Readonly<Record<string, DoorView>>, now: Readonly<Record<string, DoorView>>): string[] {
  return Object.values(now)
    .filter((door) => counts(door) !== (before[door.name] ? counts(before[door.name] as DoorView) : ""))
    .map(({ title, inbound, outbound, unknown }) =>
      say("door.summary", { door: inLanguage(title), inbound, outbound, unknown }),
    );
}

const counts = ({ inbound, outbound, unknown }: DoorView): string => `${inbound} ${outbound} ${unknown}`;

/** Exceptions that are wrong, each once, when they open. */
function Critical(): JSX.Element {
  const text = useSignal("");
  const told = useRef<Set<string> | null>(null);
  useSignalEffect(() => {
    if (!known.value) return;
    const wrong = openExceptions.value.filter((exception) => exception.severity === "wrong");
    const before = told.current;
    told.current = new Set(wrong.map((exception) => exception.id));
    const fresh = before ? wrong.filter((exception) => !before.has(exception.id)) : [];
    if (fresh.length > 0) text.value = fresh.map((exception) => plain(whatHappened(exception))).join(". ");
  });
  return (
    <div class="unseen" role="alert">
      {text}
    </div>
  );
}
