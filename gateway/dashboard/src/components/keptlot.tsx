// A lot that somebody decided to keep in quarantine: it can be released later.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { releaseLot, unsettled } from "../actions";
import { usualReasons } from "../exceptions";
import { useHandOver } from "../focus";
import { openExceptions } from "../store";
import type { LotView } from "../views";
import { Say, say } from "../words";
import { DeedForm } from "./deed";

/** Nothing where it is not kept, or where it is yet to be decided: that stands in the list of what is to do. */
export function KeptLot({ lot: { lot, state } }: { lot: LotView }): JSX.Element | null {
  const id = `release ${lot}`;
  const undecided = openExceptions.value.some(({ kind, subject }) => kind === "quality" && subject === lot);
  const kept = state === "over" && !undecided;
  return kept || unsettled(id) ? <Kept lot={lot} id={id} /> : null;
}

function Kept({ lot, id }: { lot: string; id: string }): JSX.Element {
  const here = useRef<HTMLDivElement | null>(null);
  const opener = useRef<HTMLButtonElement | null>(null);
  const [releasing, setReleasing] = useState(false);
  useHandOver(here, (gone) => gone.closest("details, .card")?.querySelector<HTMLElement>("summary, h2"));
  const close = () => {
    setReleasing(false);
    opener.current?.focus();
  };
  return (
    <div class="kept" ref={here}>
      <button
        type="button"
        ref={opener}
        aria-label={say("lot.freeWhat", { lot })}
        aria-expanded={releasing}
        onClick={() => setReleasing(!releasing)}
      >
        <Say id="lot.free" />
      </button>
      {releasing && (
        <DeedForm
          id={id}
          usually={usualReasons("quality")}
          choices={[{ word: "todo.release", act: (deed) => releaseLot(id, lot, deed) }]}
          close={close}
        />
      )}
    </div>
  );
}
