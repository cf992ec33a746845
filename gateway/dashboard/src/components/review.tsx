// The review: fruit that the model was unsure of, and a few by chance, one after the other before a person's eyes.

import type { JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { answerReview, failure, forget, pending } from "../actions";
import { onEscape } from "../keys";
import { who } from "../settings";
import { lines, reviews, site } from "../store";
import { titleOf } from "../titles";
import type { Answer, ReviewView } from "../views";
import { percent, Say } from "../words";
import { Ago } from "./age";
import { Card, Empty } from "./card";
import { numberOf, Picture, Verdict } from "./fruit";
import { Mark } from "./mark";
import { Reason } from "./reason";

type Label = Answer["label"];

/** In the order of their keys: 1, 2, 3. */
const LABELS: readonly Label[] = ["good", "defective", "unusable"];
const NEXT_SHOWN = 6;
/** What comes sooner after another fruit is there was meant for the one before: the second click of two, a quick key. */
const MEANT_AFTER_MS = 400;

/** `asked` is another thing each time that somebody asks for it. */
export function Review({ asked: wish, close }: { asked: object; close: () => void }): JSX.Element {
  const [name, setName] = useState(who.value);
  const [nameless, setNameless] = useState(false);
  const asked = useRef<HTMLInputElement | null>(null);
  const desk = useRef<HTMLFieldSetElement | null>(null);
  const id = useId();
  useEffect(() => (name ? desk.current : asked.current)?.focus(), [wish]);

  const queue = Object.values(reviews.value).sort((a, b) => a.at_us - b.at_us);
  const entry = useInFront(queue);
  const next = queue.filter((other) => other !== entry);
  const meant = useLasting(entry?.id);
  const done = entry === undefined;
  useLayoutEffect(() => {
    if (done && document.activeElement === document.body) desk.current?.focus(); // the button went with the last one
  }, [done]);
  const waiting = Object.values(lines.value).reduce((sum, line) => sum + line.to_review, 0);
  const answer = (label: Label | undefined) => {
    if (!entry || !label || !meant || pending(entry.id)) return;
    setNameless(!name.trim());
    if (name.trim()) answerReview(entry.id, { label, who: name.trim() });
    else asked.current?.focus();
  };
  return (
    <Card
      name="review"
      area="review"
      title={<Say id="review.title" />}
      state={<Say id="review.waiting" count={Math.max(waiting, queue.length)} />}
      onKeyDown={onEscape(close)}
    >
      {site.value?.pictures_kept === false && (
        <p class="not-kept">
          <Mark meaning="attention">
            <Say id="review.notKept" />
          </Mark>
        </p>
      )}
      <fieldset
        class="desk"
        ref={desk}
        tabIndex={-1}
        aria-labelledby="review-title"
        aria-keyshortcuts="1 2 3"
        onKeyDown={(event) => {
          const { key, ctrlKey, altKey, metaKey, repeat } = event;
          if (repeat && key === "Enter") event.preventDefault(); // held on a button, it would press it over and over
          if (!ctrlKey && !altKey && !metaKey && !repeat) answer(LABELS[Number(key) - 1]);
        }}
      >
        {entry ? (
          <>
            <Outlined key={entry.id} entry={entry} />
            <Question entry={entry} answer={answer} ready={meant} nameless={nameless} />
          </>
        ) : (
          <Empty>{waiting > 0 ? <Say id="review.unpictured" count={waiting} /> : <Say id="review.empty" />}</Empty>
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

/** The fruit before the person: the same one until it has left the queue, whatever comes before it. */
function useInFront(queue: readonly ReviewView[]): ReviewView | undefined {
  const id = useRef<string | undefined>(undefined);
  const entry = queue.find((review) => review.id === id.current) ?? queue[0];
  id.current = entry?.id;
  return entry;
}

/** Whether it is the same for so long that an answer is meant for it. */
function useLasting(id: string | undefined): boolean {
  const [lasting, setLasting] = useState<string>();
  useEffect(() => {
    const timer = setTimeout(() => setLasting(id), MEANT_AFTER_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return lasting === id;
}

interface QuestionProps {
  entry: ReviewView;
  answer: (label: Label) => void;
  /** An answer is taken. */
  ready: boolean;
  nameless: boolean;
}

/** What the model said of it, and the answers. */
function Question({ entry, answer, ready, nameless }: QuestionProps): JSX.Element {
  const failed = failure(entry.id);
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
          <button key={label} type="button" aria-disabled={sending || !ready} onClick={() => answer(label)}>
            <Say id={`review.${label}`} /> <kbd>{i + 1}</kbd>
          </button>
        ))}
      </div>
      <p class="outcome" role="status">
        {nameless && <Say id="review.needWho" />}
        {sending && <Say id="todo.saving" />}
        {failed?.over && <Say id="todo.over" />}
        {failed?.over === false && <Say id="review.failed" reason={<Reason said={failed.failed} />} />}
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
