// The review: fruit that the model was unsure of, and a few by chance, one after the other before a person's eyes.

import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { answerReview, forget, outcomes, pending } from "../actions";
import { who } from "../settings";
import { lines, reviews } from "../store";
import { titleOf } from "../titles";
import type { Answer, ReviewView } from "../views";
import { percent, Say, say } from "../words";
import { Ago } from "./age";
import { Card, Empty } from "./card";
import { numberOf, Picture, Verdict } from "./fruit";

type Label = Answer["label"];

/** In the order of their keys: 1, 2, 3. */
const LABELS: readonly Label[] = ["good", "defective", "unusable"];
const NEXT_SHOWN = 6;

export function Review({ close }: { close: () => void }): JSX.Element {
  const [name, setName] = useState(who.value);
  const [nameless, setNameless] = useState(false);
  const asked = useRef<HTMLInputElement | null>(null);
  const desk = useRef<HTMLFieldSetElement | null>(null);
  const id = useId();
  useEffect(() => (name ? desk.current : asked.current)?.focus(), []);

  const [entry, ...next] = Object.values(reviews.value).sort((a, b) => a.at_us - b.at_us);
  const done = entry === undefined;
  useEffect(() => {
    if (done && document.activeElement === document.body) desk.current?.focus(); // the button went with the last one
  }, [done]);
  const waiting = Object.values(lines.value).reduce((sum, line) => sum + line.to_review, 0);
  const answer = (label: Label | undefined) => {
    if (!entry || !label || pending(entry.id)) return;
    setNameless(!name.trim());
    if (name.trim()) answerReview(entry.id, { label, who: name.trim() });
    else asked.current?.focus();
  };
  return (
    <Card
      name="review"
      area="review"
      title={<Say id="review.title" />}
      state={<Say id="review.waiting" count={Math.max(waiting, entry ? next.length + 1 : 0)} />}
    >
      <fieldset
        class="desk"
        ref={desk}
        tabIndex={-1}
        aria-labelledby="review-title"
        aria-keyshortcuts="1 2 3"
        onKeyDown={({ key, ctrlKey, altKey, metaKey, repeat }) => {
          if (!ctrlKey && !altKey && !metaKey && !repeat) answer(LABELS[Number(key) - 1]);
        }}
      >
        {entry ? (
          <>
            <Outlined key={entry.id} entry={entry} />
            <Question entry={entry} answer={answer} nameless={nameless} />
          </>
        ) : (
          <Empty>
            <Say id="review.empty" />
          </Empty>
        )}
      </fieldset>
      <div class="review-end">
        <div class="review-who">
          <label for={id}>
            <Say id="todo.who" />
          </label>
          <input
            id={id}
            name="who"
            ref={asked}
            value={name}
            maxLength={100}
            autoComplete="name"
            aria-invalid={nameless}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </div>
        <Next queue={next.slice(0, NEXT_SHOWN)} />
        <button type="button" class="plain" onClick={close}>
          <Say id="review.close" />
        </button>
      </div>
    </Card>
  );
}

/** What the model said of it, and the answers. */
function Question({
  entry,
  answer,
  nameless,
}: {
  entry: ReviewView;
  answer: (label: Label) => void;
  nameless: boolean;
}): JSX.Element {
  const outcome = outcomes.value[entry.id];
  const sending = pending(entry.id);
  useEffect(() => () => forget(entry.id), [entry.id]);
  return (
    <div class="question">
      <p aria-live="polite">
        <Said entry={entry} />
      </p>
      <p class="muted small">
        <bdi>{titleOf(entry.line)}</bdi>
        {entry.lot !== null && (
          <span>
            <Say id="lot.name" lot={entry.lot} />
          </span>
        )}
        <span>
          <Ago us={entry.at_us} />
        </span>
        {entry.sampled && (
          <span>
            <Say id="review.sampled" />
          </span>
        )}
        <bdi>{entry.model}</bdi>
      </p>
      <div class="answers">
        {LABELS.map((label, i) => (
          <button key={label} type="button" aria-disabled={sending} onClick={() => answer(label)}>
            <Say id={`review.${label}`} /> <kbd>{i + 1}</kbd>
          </button>
        ))}
      </div>
      <p class="outcome" role="status">
        {nameless && <Say id="review.needWho" />}
        {sending && <Say id="todo.saving" />}
        {typeof outcome === "object" && <Say id="review.failed" reason={outcome.failed || say("todo.noAnswer")} />}
      </p>
      <p class="muted small keys">
        <Say id="review.keys" />
      </p>
    </div>
  );
}

function Said({ entry: { verdict, score } }: { entry: ReviewView }): JSX.Element {
  const word = <Verdict verdict={verdict} />;
  if (score === null) return <Say id="review.saidOnly" verdict={word} />;
  return <Say id="review.said" verdict={word} score={percent(score)} />;
}

/** The picture, whole, in a square that is there before it; the outline lies on it in the picture's own shares. */
function Outlined({ entry: { id, outline } }: { entry: ReviewView }): JSX.Element {
  const [shape, setShape] = useState<number | null>(null);
  const size =
    shape === null ? {} : { width: `${Math.min(1, shape) * 100}%`, height: `${Math.min(1, 1 / shape) * 100}%` };
  const corners = outline.map((corner) => corner.join(",")).join(" ");
  return (
    <div class="outlined">
      {shape === null && (
        <p class="muted">
          <Say id="review.noPicture" />
        </p>
      )}
      <div class="sheet" style={size}>
        <Picture id={id} subject={id} onShape={setShape} />
        {shape !== null && corners && (
          <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
            <polygon class="halo" points={corners} />
            <polygon points={corners} />
          </svg>
        )}
      </div>
    </div>
  );
}

/** Those that come after it; so their pictures are here when it is their turn. */
function Next({ queue }: { queue: readonly ReviewView[] }): JSX.Element {
  return (
    <div class="next">
      {queue.length > 0 && (
        <p class="muted small">
          <Say id="review.next" />
        </p>
      )}
      <ol>
        {queue.map(({ id }) => (
          <li key={id} data-review={numberOf(id)}>
            <Picture id={id} subject={id} />
          </li>
        ))}
      </ol>
    </div>
  );
}
