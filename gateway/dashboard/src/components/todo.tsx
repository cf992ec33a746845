// What needs a person now: what happened, what to do, and the place to say that it is done.

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import {
  claimException,
  failure,
  pending,
  reopenException,
  resolveException,
  snoozeException,
  unsettled,
} from "../actions";
import { usual, usualReasons, whatHappened, whatToDo } from "../exceptions";
import { useHandOver } from "../focus";
import { memo } from "../memo";
import { who } from "../settings";
import { exceptions, loudestFirst, nowUs, openExceptions } from "../store";
import type { ExceptionView } from "../views";
import { plain, Say, say, Told, timeOfMinute } from "../words";
import { Ago } from "./age";
import { Card, Empty } from "./card";
import { type Aside, type Choice, DeedForm } from "./deed";
import { Figure } from "./figure";
import { Mark } from "./mark";

/** So many stand in the list before it has to be opened, so that a bad day does not push the page away. */
const SHOWN = 5;
const LATELY_SHOWN = 3;

const showAll = signal(false);

export function ToDo(): JSX.Element {
  const open = openExceptions.value.length;
  const listed = loudestFirst(({ id, state }) => state === "open" || unsettled(id));
  const shown = showAll.value ? listed : listed.slice(0, SHOWN);
  const more = listed.length - SHOWN;
  return (
    <Card name="todo" area="todo" title={<Say id="todo.title" />} state={<Figure value={open} size="strong" />}>
      {listed.length === 0 && (
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
  const task = useRef<HTMLLIElement | null>(null);
  const opener = useRef<HTMLButtonElement | null>(null);
  const [resolving, setResolving] = useState(false);
  useHandOver(
    task,
    (gone) => gone.nextElementSibling?.querySelector("button") ?? document.getElementById("todo-title"),
  );
  const what = whatHappened(exception);
  const close = () => {
    setResolving(false);
    opener.current?.focus();
  };
  return (
    <li class={`task ${exception.severity}`} data-exception={exception.id} data-kind={exception.kind} ref={task}>
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
            {exception.state === "open" ? <Told sentence={whatToDo(exception)} /> : <Resolved exception={exception} />}
          </p>
          <Care exception={exception} />
        </div>
        <button
          type="button"
          ref={opener}
          aria-label={say("todo.resolveWhat", { what: plain(what) })}
          aria-expanded={resolving}
          onClick={() => setResolving(!resolving)}
        >
          <Say id="todo.resolve" />
        </button>
      </div>
      {resolving && (
        <DeedForm
          id={exception.id}
          usually={usualReasons(usual(exception))}
          choices={choicesOf(exception)}
          asides={asidesOf(exception)}
          close={close}
        />
      )}
    </li>
  );
});

/** Somebody takes care of it, or it can wait. */
const asidesOf = ({ id }: ExceptionView): Aside[] => [
  { word: "todo.claim", act: (name) => claimException(id, name) },
  { word: "todo.snooze", act: (name) => snoozeException(id, name, nowUs.peek() ?? Date.now() * 1000) },
];

/** A lot that is over its limit is not only dealt with: it is said what becomes of its stock. */
function choicesOf({ id, kind }: ExceptionView): Choice[] {
  if (kind !== "quality") return [{ word: "todo.save", act: (deed) => resolveException(id, deed) }];
  return (["release", "keep"] as const).map((decision) => ({
    word: `todo.${decision}`,
    act: (deed) => resolveException(id, { ...deed, decision }),
  }));
}

/** Who takes care of it, until when it was put off, and whether it was thought to be over before. */
function Care({
  exception: { claimed_by, snoozed_until_us, reopened = 0 },
}: {
  exception: ExceptionView;
}): JSX.Element {
  return (
    <p class="muted small care">
      {claimed_by != null && <Say id="todo.claimed" who={claimed_by} />}
      {snoozed_until_us != null && <Say id="todo.snoozed" time={timeOfMinute(snoozed_until_us)} />}
      {reopened > 0 && <Say id="todo.reopened" />}
    </p>
  );
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
              <Resolved exception={exception} />
            </span>
            {who.value !== "" && exception.decision !== "release" && <Undo exception={exception} />}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Undo({ exception }: { exception: ExceptionView }): JSX.Element {
  const { id } = exception;
  return (
    <button
      type="button"
      class="plain"
      aria-label={say("todo.undoWhat", { what: plain(whatHappened(exception)) })}
      aria-disabled={pending(id)}
      onClick={() => reopenException(id, { who: who.value, why: say("todo.undone") })}
    >
      {failure(id) ? <Say id="todo.notUndone" /> : <Say id="todo.undo" />}
    </button>
  );
}

/** By whom and how. */
function Resolved({ exception }: { exception: ExceptionView }): JSX.Element {
  const { resolved_by: by, updated_us, reason: why, decision } = exception;
  if (by == null) return <Say id="todo.ended" />;
  return <Say id={decision ? DECIDED[decision] : "todo.resolved"} who={by} ago={<Ago us={updated_us} />} why={why} />;
}

const DECIDED = { release: "todo.released", keep: "todo.kept" } as const;
