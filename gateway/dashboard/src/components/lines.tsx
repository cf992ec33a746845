// The sorting lines and the review. A site without a line never loads their part of the page; its places are there
// before it is.

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { lines } from "../store";
import { inLanguage } from "../titles";
import { Say } from "../words";
import { Card } from "./card";

type Sorting = typeof import("./sorting");

const part = signal<Sorting | "loading" | "failed" | null>(null);

async function load(): Promise<void> {
  part.value = "loading";
  try {
    part.value = await import("./sorting");
  } catch {
    part.value = "failed"; // no answer, or a gateway that has a newer page by now
  }
}

export function Lines(): JSX.Element | null {
  const all = Object.values(lines.value);
  const wanted = all.length > 0 && part.value === null;
  useEffect(() => {
    if (wanted) void load();
  }, [wanted]);
  if (part.value !== null && typeof part.value === "object") return <part.value.Sorting />;
  return (
    <>
      {all.map((line) => (
        <Card key={line.name} name={`line-${line.name}`} area="line coming" title={<bdi>{inLanguage(line.title)}</bdi>}>
          {part.value === "failed" && <Unloaded />}
        </Card>
      ))}
    </>
  );
}

function Unloaded(): JSX.Element {
  return (
    <>
      <p role="status">
        <Say id="lines.unloaded" />
      </p>
      <button type="button" class="alone" onClick={() => void load()}>
        <Say id="lines.again" />
      </button>
    </>
  );
}
