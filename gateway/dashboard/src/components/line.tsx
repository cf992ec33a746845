// A sorting line: its belt, what runs on it and how good it is, and the last fruit as it was judged.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { memo } from "../memo";
import { devices } from "../store";
import { inLanguage } from "../titles";
import type { DeviceView, LineView } from "../views";
import { Say } from "../words";
import { Ago, Span } from "./age";
import { Belt } from "./belt";
import { Card, Empty } from "./card";
import { Figure } from "./figure";
import { Fruit } from "./fruit";
import { KeptLot } from "./keptlot";
import { Counts, EarlierLots, LotName, LotState } from "./lot";
import { LotForm } from "./lotform";
import { Mark } from "./mark";
import { Rate } from "./rate";
import { Unheard } from "./unheard";

interface LineProps {
  line: LineView;
  /** Open the review, or go to it; told which button asks. */
  review: (opener: HTMLElement) => void;
}

const SEES = new Set<DeviceView["state"]>(["connected", "drifted"]);

export const Line = memo(function Line({ line, review }: LineProps): JSX.Element {
  const camera = devices.value[line.camera];
  const blind = camera !== undefined && !SEES.has(camera.state);
  const opener = useRef<HTMLButtonElement | null>(null);
  const [beginning, setBeginning] = useState(false);
  const close = () => {
    setBeginning(false);
    opener.current?.focus();
  };
  return (
    <Card
      name={`line-${line.name}`}
      area="line"
      title={<bdi>{inLanguage(line.title)}</bdi>}
      state={(line.per_minute > 0 || !blind) && <Pace line={line} />}
      stale={blind}
    >
      <div class="line-parts">
        <div class="line-seen">
          <Belt line={line} blind={blind} />
          {camera && <Watching camera={camera} />}
        </div>
        <div class="line-lot">
          <Lot line={line} />
          <div class="line-acts">
            <button type="button" ref={opener} aria-expanded={beginning} onClick={() => setBeginning(!beginning)}>
              <Say id="lot.begin" />
            </button>
            {line.to_review > 0 && (
              <button type="button" onClick={({ currentTarget }) => review(currentTarget)}>
                <Say id="review.open" count={line.to_review} />
              </button>
            )}
          </div>
        </div>
        {beginning && <LotForm line={line} close={close} />}
      </div>
      <Latest line={line} />
      <EarlierLots lots={line.lots} />
      <footer>
        <span class="muted">{line.model !== null && <Say id="line.model" model={line.model} />}</span>
        {!!camera?.counts.dropped && (
          <span class="muted">
            <Say id="line.dropped" count={camera.counts.dropped} />
          </span>
        )}
        {line.unpictured > 0 && (
          <span class="muted">
            <Say id="line.unpictured" count={line.unpictured} />
          </span>
        )}
        <Shadow line={line} />
      </footer>
    </Card>
  );
});

function Pace({ line }: { line: LineView }): JSX.Element {
  if (line.per_minute > 0) return <Say id="line.perMinute" fruit={<Figure value={line.per_minute} size="strong" />} />;
  return (
    <Mark meaning="quiet">
      <Say id="door.idle" />
    </Mark>
  );
}

/** What is wrong with the camera; nothing while it sees. */
function Watching({ camera: { name, state, since_us } }: { camera: DeviceView }): JSX.Element | null {
  const age = <Span since={since_us} />;
  switch (state) {
    case "connected":
      return null;
    case "drifted":
      return (
        <Mark meaning="attention">
          <Say id="line.drifted" camera={name} age={age} />
        </Mark>
      );
    case "lost":
    case "blind":
      return (
        <>
          <Mark meaning="wrong">
            <Say id={`reader.${state}`} reader={name} age={age} />
          </Mark>
          <p class="advice">
            <Say id="line.unwatched" />
          </p>
        </>
      );
    default:
      return <Unheard name={name} />;
  }
}

function Lot({ line: { lot } }: { line: LineView }): JSX.Element {
  if (lot === null)
    return (
      <Empty>
        <Say id="line.noLot" />
      </Empty>
    );
  return (
    <>
      <div class="lot-head">
        <LotName lot={lot} />
        <LotState state={lot.state} />
      </div>
      <Rate lot={lot} />
      <Counts lot={lot} />
      <KeptLot lot={lot} />
    </>
  );
}

function Latest({ line: { latest, last_us } }: { line: LineView }): JSX.Element {
  return (
    <div class="latest">
      <h3>
        <Say id="line.latest" />{" "}
        <span class="muted">
          {latest.length > 0 ? <Say id="line.chance" /> : <Say id="line.noFruit" />}
          {last_us !== null && (
            <>
              {" · "}
              <Say id="line.lastFruit" ago={<Ago us={last_us} />} />
            </>
          )}
        </span>
      </h3>
      <ol>
        {latest.map((fruit) => (
          <Fruit key={fruit.subject} fruit={fruit} />
        ))}
      </ol>
    </div>
  );
}

function Shadow({ line: { shadow } }: { line: LineView }): JSX.Element | null {
  if (shadow === null) return null;
  const { model, compared, disagreed } = shadow;
  return (
    <span class="muted" data-shadow={model}>
      <Say
        id="line.shadow"
        model={model}
        disagreed={<Figure value={disagreed} />}
        compared={<Figure value={compared} />}
      />
    </span>
  );
}
