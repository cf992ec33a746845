// What needs a person now: what happened, what to do, and the place to say that it is done.

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { forget, outcomes, pending, releaseLot, resolveException } from "../actions";
import { usualReasons, whatHappened, whatToDo } from "../exceptions";
import { memo } from "../memo";
import { who } from "../settings";
import { exceptions, openExceptions } from "../store";
import type { ExceptionView } from "../views";
import { plain, Say, say, Told } from "../words";
import { Ago } from "./age";
import { Card, Empty } from "./card";
import { Figure } from "./figure";
import { Mark } from "./mark";

/** So many stand in the list before it has to be opened, so that a bad day does not push the page away. */
const SHOWN = 5;
const LATELY_SHOWN = 3;

const showAll = signal(false);

export function ToDo(): JSX.Element {
  const open = openExceptions.value;
  const shown = showAll.value ? open : open.slice(0, SHOWN);
  const more = open.length - SHOWN;
  return (
    <Card name="todo" area="todo" title={<Say id="todo.title" />} state={<Figure value={open.length} size="strong" />}>
      {open.length === 0 && (
        <Empty>
          <Say id="todo.empty" />
        </Empty>
      )}
      <ul class="tasks">
        {shown.map((exception) => (
          <Task key={exception.id} exception={exception} />
        ))}
      </ul>
      {more > 0 && (
        <button
          type="button"
          class="plain"
          aria-expanded={showAll.value}
          onClick={() => {
            showAll.value = !showAll.value;
          }}
        >
          {showAll.value ? <Say id="todo.less" /> : <Say id="todo.more" count={more} />}
        </button>
      )}
      <Lately />
    </Card>
  );
}

const Task = memo(function Task({ exception }: { exception: ExceptionView }): JSX.Element {
  const [resolving, setResolving] = useState(false);
  const what = whatHappened(exception);
  const action = actionOn(exception);
  return (
    <li class={`task ${exception.severity}`} data-exception={exception.id} data-kind={exception.kind}>
      <div class="task-head">
        <Mark meaning={exception.severity}>
          <Say id={`severity.${exception.severity}`} />
        </Mark>
        <span class="muted">
          <Ago us={exception.opened_us} />
        </span>
      </div>
      <div class="task-body">
        <div>
          <p class="what">
            <Told sentence={what} />
          </p>
          <p class="advice">
            <Told sentence={whatToDo(exception)} />
          </p>
        </div>
        {!resolving && (
          <button type="button" aria-label={say(action.what, { what: plain(what) })} onClick={() => setResolving(true)}>
            <Say id={action.word} />
          </button>
        )}
      </div>
      {resolving && <ResolveForm exception={exception} close={() => setResolving(false)} />}
    </li>
  );
});

const RESOLVE = { word: "todo.resolve", what: "todo.resolveWhat", save: "todo.save", act: resolveException } as const;
/** A lot that is over its limit is not only dealt with: its stock may be sold again. */
const RELEASE = { word: "todo.release", what: "todo.releaseWhat", save: "todo.saveRelease", act: releaseLot } as const;

const actionOn = ({ kind }: ExceptionView): typeof RESOLVE | typeof RELEASE => (kind === "quality" ? RELEASE : RESOLVE);

/** Who dealt with it and what was done, on the spot. The task leaves the list when the gateway says so. */
function ResolveForm({ exception, close }: { exception: ExceptionView; close: () => void }): JSX.Element {
  const id = useId();
  const [name, setName] = useState(who.value);
  const [why, setWhy] = useState("");
  const [incomplete, setIncomplete] = useState(false);
  const outcome = outcomes.value[exception.id];
  const sending = pending(exception.id);
  const action = actionOn(exception);
  useEffect(() => () => forget(exception.id), [exception.id]);

  const submit = (event: Event) => {
    event.preventDefault();
    const resolution = { who: name.trim(), why: why.trim() };
    setIncomplete(!resolution.who || !resolution.why);
    if (resolution.who && resolution.why) action.act(exception, resolution);
  };
  return (
    <form
      class="resolve"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
      aria-busy={sending}
    >
      <label for={`${id}-who`}>
        <Say id="todo.who" />
      </label>
      <input
        id={`${id}-who`}
        name="who"
        value={name}
        maxLength={100}
        autoComplete="name"
        ref={focusWhenEmpty}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <label for={`${id}-why`}>
        <Say id="todo.why" />
      </label>
      <div class="reasons">
        {usualReasons(exception.kind).map((reason) => (
          <button key={reason} type="button" aria-pressed={why === reason} onClick={() => setWhy(reason)}>
            {reason}
          </button>
        ))}
      </div>
      <input
        id={`${id}-why`}
        name="why"
        value={why}
        maxLength={1000}
        autoComplete="off"
        onInput={(event) => setWhy(event.currentTarget.value)}
      />
      <p class="outcome" role="status">
        {incomplete && <Say id="todo.needBoth" />}
        {sending && <Say id="todo.saving" />}
        {typeof outcome === "object" && <Say id="todo.failed" reason={outcome.failed || say("todo.noAnswer")} />}
      </p>
      <div class="form-end">
        <button type="submit" class="main" disabled={sending}>
          <Say id={action.save} />
        </button>
        <button type="button" class="plain" onClick={close}>
          <Say id="todo.cancel" />
        </button>
      </div>
    </form>
  );
}

function focusWhenEmpty(input: HTMLInputElement | null): void {
  if (input?.value === "") input.focus();
}

/** The last ones that were dealt with, so that everybody sees that and by whom. */
function Lately(): JSX.Element | null {
  const lately = Object.values(exceptions.value)
    .filter((exception) => exception.state === "resolved" && exception.resolved_by)
    .sort((a, b) => b.updated_us - a.updated_us)
    .slice(0, LATELY_SHOWN);
  if (lately.length === 0) return null;
  return (
    <div class="lately">
      <h3>
        <Say id="todo.lately" />
      </h3>
      <ul>
        {lately.map((exception) => (
          <li key={exception.id}>
            <Told sentence={whatHappened(exception)} />
            <br />
            <span class="muted">
              <Say
                id="todo.resolved"
                who={exception.resolved_by}
                ago={<Ago us={exception.updated_us} />}
                why={exception.reason}
              />
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
