// One fruit as the line judged it: its picture, where one was sent, and the verdict as shape and word.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { memo } from "../memo";
import { openings } from "../store";
import type { VerdictView } from "../views";
import { percent, Say, say } from "../words";
import { Mark, type Meaning } from "./mark";

/** A picture travels apart from its verdict: it is asked for again after 1, 2, 4, ... seconds, so many times; and from
 * the beginning when the gateway is there again. */
const TRIES = 5;

const MEANING: Record<VerdictView["verdict"], Meaning> = {
  good: "done",
  unsure: "attention",
  defective: "wrong",
  unseen: "stale",
};

export function Verdict({ verdict }: { verdict: VerdictView["verdict"] }): JSX.Element {
  return (
    <Mark meaning={MEANING[verdict]}>
      <Say id={`verdict.${verdict}`} />
    </Mark>
  );
}

export const Fruit = memo(function Fruit({ fruit }: { fruit: VerdictView }): JSX.Element {
  return (
    <li class="fruit" data-fruit={fruit.subject} data-verdict={fruit.verdict}>
      <div class="frame">
        <svg class="outline" viewBox="0 0 24 24" aria-hidden="true">
          <ellipse cx="12" cy="12" rx="8" ry="6.5" />
        </svg>
        {fruit.evidence !== null && <Picture id={fruit.evidence} subject={fruit.subject} />}
      </div>
      <Verdict verdict={fruit.verdict} />
      {fruit.gate === "missed" ? (
        <span class="attention">
          <Say id="line.late" />
        </span>
      ) : (
        <span class="muted">{fruit.score === null ? "–" : percent(fruit.score)}</span>
      )}
    </li>
  );
});

interface PictureProps {
  /** Of the evidence. */
  id: string;
  subject: string;
  /** Told its width divided by its height when it is there. */
  onShape?: (shape: number) => void;
}

/** The number of a fruit on its line. */
export const numberOf = (subject: string): string => subject.slice(subject.lastIndexOf("-") + 1);

/** The picture of one fruit; nothing is to be seen until it has come. */
export function Picture({ id, subject, onShape }: PictureProps): JSX.Element {
  const [asked, setAsked] = useState(0);
  const [tries, setTries] = useState(0);
  const [state, setState] = useState<"asked" | "there" | "missing">("asked");
  const ask = (tried: number) => {
    setAsked(asked + 1);
    setTries(tried);
    setState("asked");
  };
  useEffect(() => {
    if (state !== "missing" || tries >= TRIES) return;
    const timer = setTimeout(() => ask(tries + 1), 1000 * 2 ** tries);
    return () => clearTimeout(timer);
  }, [state, tries]);
  useEffect(() => {
    if (state === "missing") ask(0);
  }, [openings.value]);
  return (
    <img
      src={`api/v1/evidence/${encodeURIComponent(id)}.jpg${asked > 0 ? `?try=${asked}` : ""}`}
      alt={say("fruit.picture", { fruit: numberOf(subject) })}
      data-there={state === "there" || undefined}
      loading="lazy"
      onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
        setState("there");
        onShape?.(naturalWidth / naturalHeight);
      }}
      onError={() => setState("missing")}
    />
  );
}
