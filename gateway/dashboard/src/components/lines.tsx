// The sorting lines and the review. A site without a line never loads their part of the page; its places are there
// before it is.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Part } from "../part";
import { lines } from "../store";
import { inLanguage } from "../titles";
import { Card } from "./card";
import { Unloaded } from "./unloaded";

const part = new Part(() => import("./sorting"));

export function Lines(): JSX.Element {
  const all = Object.values(lines.value);
  const wanted = all.length > 0;
  useEffect(() => {
    if (wanted) part.want();
  }, [wanted]);
  if (part.here) return <part.here.Sorting />;
  return (
    <>
      {all.map((line) => (
        <Card key={line.name} name={`line-${line.name}`} area="line coming" title={<bdi>{inLanguage(line.title)}</bdi>}>
          {part.failed && <Unloaded again={part.again} />}
        </Card>
      ))}
    </>
  );
}
