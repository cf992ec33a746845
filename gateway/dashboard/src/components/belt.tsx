// The belt of a line as its camera sees it, a picture a second or so.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { nowUs } from "../store";
import { inLanguage } from "../titles";
import type { LineView } from "../views";
import { visible } from "../visible";
import { Say, say, time } from "../words";
import { Mark } from "./mark";

/** A picture that is older than this is not of now. */
const OLD_AFTER_US = 5e6;

export function Belt({ line, blind }: { line: LineView; blind: boolean }): JSX.Element {
  const us = line.belt_us;
  const old = us !== null && nowUs.value !== null && nowUs.value - us > OLD_AFTER_US;
  return (
    <div class="belt" data-stale={old || blind || undefined}>
      {us === null ? (
        <p class="muted">
          <Say id="belt.none" />
        </p>
      ) : (
        <Picture line={line} us={us} />
      )}
      {us !== null && (old || blind) && (
        <p class="caption">
          <Mark meaning="stale">
            <Say id="belt.old" time={time(us)} />
          </Mark>
        </p>
      )}
    </div>
  );
}

/** One picture is asked for at a time, and always the newest: a slow network shows fewer, none late. */
function Picture({ line, us }: { line: LineView; us: number }): JSX.Element {
  const [asked, ask] = useState(us);
  const [busy, setBusy] = useState(true);
  const [there, setThere] = useState(false);
  const watched = visible.value;
  useEffect(() => {
    if (busy || !watched || us === asked) return;
    setBusy(true);
    ask(us);
  }, [busy, watched, us, asked]);
  const came = (well: boolean) => {
    setThere(well);
    setBusy(false);
  };
  return (
    <img
      src={`api/v1/lines/${encodeURIComponent(line.name)}/belt.jpg?t=${asked}`}
      alt={say("belt.picture", { line: inLanguage(line.title), time: time(asked) })}
      data-there={there || undefined}
      loading="lazy"
      onLoad={() => came(true)}
      onError={() => came(false)}
    />
  );
}
