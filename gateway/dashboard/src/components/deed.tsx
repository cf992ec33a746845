// Who dealt with something, what was done, and, where it is asked for, what was decided.

import type { JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { failure, forget, pending } from "../actions";
import { onEscape } from "../keys";
import { who } from "../settings";
import type { Deed } from "../views";
import { Say } from "../words";
import { Reason } from "./reason";

export interface Choice {
  word: "todo.save" | "todo.release" | "todo.keep" | "shipment.end" | "shipment.again";
  act: (deed: Deed) => void;
}

export interface Aside {
  word: "todo.claim" | "todo.snooze";
  act: (who: string) => void;
}

interface DeedProps {
  /** Of what became of it. */
  id: string;
  /** What people usually did, to be chosen with one touch. */
  usually: readonly string[];
  /** A single one is taken with Enter, too; of several one has to be pressed. */
  choices: readonly Choice[];
  /** What needs no reason, only a name; then the form closes. */
  asides?: readonly Aside[];
  close: () => void;
}

export function DeedForm({ id, usually, choices, asides = [], close }: DeedProps): JSX.Element {
  const form = useRef<HTMLFormElement | null>(null);
  const field = useId();
  const [name, setName] = useState(who.value);
  const [why, setWhy] = useState("");
  const [incomplete, setIncomplete] = useState(false);
  const sending = pending(id);
  const over = failure(id)?.over === true;
  useEffect(() => () => forget(id), [id]);
  useLayoutEffect(() => firstEmpty(form.current)?.focus(), []);

  const save = ({ act }: Choice) => {
    const deed = { who: name.trim(), why: why.trim() };
    const whole = deed.who !== "" && deed.why !== "";
    setIncomplete(!whole);
    if (whole) act(deed);
    else firstEmpty(form.current)?.focus();
  };
  const aside = (act: Aside["act"]) => {
    const who = name.trim();
    setIncomplete(!who);
    if (!who) return firstEmpty(form.current)?.focus();
    act(who);
    close();
  };
  return (
    <form
      class="resolve"
      ref={form}
      onSubmit={(event) => event.preventDefault()}
      onKeyDown={onEscape(close)}
      aria-busy={sending}
    >
      <label for={`${field}-who`}>
        <Say id="todo.who" />
      </label>
      <input
        id={`${field}-who`}
        name="who"
        value={name}
        maxLength={100}
        autoComplete="name"
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <label for={`${field}-why`}>
        <Say id="todo.why" />
      </label>
      <div class="reasons">
        {usually.map((reason) => (
          <button key={reason} type="button" aria-pressed={why === reason} onClick={() => setWhy(reason)}>
            {reason}
          </button>
        ))}
      </div>
      <input
        id={`${field}-why`}
        name="why"
        value={why}
        maxLength={1000}
        autoComplete="off"
        onInput={(event) => setWhy(event.currentTarget.value)}
      />
      <p class="outcome" role="status">
        {incomplete && <Say id="todo.needBoth" />}
        {sending && <Say id="todo.saving" />}
        <NotSaved id={id} />
      </p>
      <div class="form-end">
        {!over &&
          choices.map((choice) => (
            <button
              key={choice.word}
              type={choices.length > 1 ? "button" : "submit"}
              class={choices.length > 1 ? undefined : "main"}
              aria-disabled={sending}
              onClick={() => save(choice)}
            >
              <Say id={choice.word} />
            </button>
          ))}
        {asides.map(({ word, act }) => (
          <button key={word} type="button" aria-disabled={sending} onClick={() => aside(act)}>
            <Say id={word} />
          </button>
        ))}
        <button type="button" class="plain" onClick={close}>
          {over ? <Say id="review.close" /> : <Say id="todo.cancel" />}
        </button>
      </div>
    </form>
  );
}

function NotSaved({ id }: { id: string }): JSX.Element | null {
  const failed = failure(id);
  if (failed === null) return null;
  return failed.over ? <Say id="todo.over" /> : <Say id="todo.failed" reason={<Reason said={failed.failed} />} />;
}

function firstEmpty(form: HTMLFormElement | null): HTMLInputElement | undefined {
  return [...(form?.querySelectorAll("input") ?? [])].find(({ value }) => !value.trim());
}
