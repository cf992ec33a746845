// A person says which lot runs over a line from now on. All but the lot's name is as it was the last time, so that a
// scanner is enough, which types the name and Enter.

import type { JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { beginLot, failure, forget, outcomes, pending } from "../actions";
import { onEscape } from "../keys";
import { who } from "../settings";
import { stock } from "../store";
import { inLanguage, isListed } from "../titles";
import type { GradeView, LineView } from "../views";
import { rate, Say, say } from "../words";
import { Mark } from "./mark";
import { Reason } from "./reason";

type Draft = Record<"lot" | "sku" | "customer" | "who", string>;
type FieldName = keyof Draft;

export function LotForm({ line, close }: { line: LineView; close: () => void }): JSX.Element {
  const form = useRef<HTMLFormElement | null>(null);
  const [tried, setTried] = useState(0);
  const [draft, setDraft] = useState<Draft>(() => ({
    lot: "",
    sku: line.lot?.sku ?? "",
    customer: line.lot?.customer ?? "",
    who: who.value,
  }));
  const id = `lot on ${line.name}`;
  const outcome = outcomes.value[id];
  useLayoutEffect(() => form.current?.querySelector("input")?.focus(), []);
  useEffect(() => () => forget(id), [id]);
  useEffect(() => {
    if (outcome === "taken") close();
    else form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [outcome, tried]);

  const field = (name: FieldName, need?: string) => ({
    name,
    value: draft[name],
    busy: pending(id),
    wrong: tried && need && !draft[name].trim() ? need : refused(id, name),
    change: (value: string) => {
      forget(id);
      setDraft({ ...draft, [name]: value });
    },
  });
  const fields = {
    lot: field("lot", say("lotForm.needLot")),
    sku: field("sku"),
    customer: field("customer"),
    who: field("who", say("review.needWho")),
  };
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(tried + 1);
    const [lot, name] = [draft.lot.trim(), draft.who.trim()];
    if (lot && name) beginLot(id, line, { lot, sku: draft.sku || null, customer: draft.customer || null, who: name });
  };
  return (
    <form
      class="lot-form"
      ref={form}
      noValidate
      aria-label={say("lot.begin")}
      aria-busy={pending(id)}
      onSubmit={submit}
      onKeyDown={onEscape(close)}
    >
      <Text {...fields.lot} label={<Say id="lotForm.lot" />} autoComplete="off" />
      <Choice {...fields.sku} label={<Say id="stock.item" />} options={items()} />
      <Choice {...fields.customer} label={<Say id="lotForm.customer" />} options={customers(line)} />
      <Text {...fields.who} label={<Say id="todo.who" />} autoComplete="name" />
      <p class="outcome" role="status">
        {pending(id) && <Say id="todo.saving" />}
        {Object.values(fields).every(({ wrong }) => !wrong) && <Failed id={id} />}
      </p>
      <div class="form-end">
        <button type="submit" class="main" aria-disabled={pending(id)}>
          <Say id="lotForm.save" />
        </button>
        <button type="button" class="plain" onClick={close}>
          <Say id="todo.cancel" />
        </button>
      </div>
    </form>
  );
}

/** What the gateway found wrong in a field of the form. */
function refused(id: string, name: FieldName): JSX.Element | undefined {
  const mistake = failure(id)?.mistakes.find(({ where }) => where === `body.${name}`);
  return mistake && <Say id="lotForm.refused" reason={<Reason said={mistake.what} />} />;
}

function Failed({ id }: { id: string }): JSX.Element | null {
  const failed = failure(id)?.failed;
  return failed === undefined ? null : <Say id="lotForm.failed" reason={<Reason said={failed} />} />;
}

// --- the fields ----------------------------------------------------------------------------------------------------------

type Option = readonly [value: string, words: string];

function items(): Option[] {
  const listed = Object.values(stock.value).filter(({ sku }) => isListed(sku));
  return [["", say("lotForm.noItem")], ...listed.map(({ sku, title }): Option => [sku, inLanguage(title)])];
}

/** Those with a grade of their own; and the one who has the lot now, without one. */
function customers({ grades, lot }: LineView): Option[] {
  const now = lot?.customer ?? null;
  const everybodys = grades.find(({ customer }) => customer === null);
  const strange =
    everybodys && grades.every(({ customer }) => customer !== now) ? [{ ...everybodys, customer: now }] : [];
  return [...grades, ...strange].map((grade): Option => [grade.customer ?? "", takes(grade)]);
}

function takes({ customer, limit }: GradeView): string {
  const most = rate(limit);
  if (customer === null) return say("lotForm.everybody", { limit: most });
  return say("lotForm.takes", { customer, limit: most });
}

/** What is wrong with it, in words. */
type Wrongness = JSX.Element | string | undefined;

interface FieldProps {
  name: FieldName;
  label: JSX.Element;
  value: string;
  wrong: Wrongness;
  /** It is on its way. */
  busy: boolean;
  change: (value: string) => void;
}

function Text({
  name,
  label,
  value,
  wrong,
  busy,
  change,
  autoComplete,
}: FieldProps & { autoComplete: string }): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        value={value}
        maxLength={100}
        readOnly={busy}
        autoComplete={autoComplete}
        aria-invalid={!!wrong}
        aria-describedby={`${id}-wrong`}
        onInput={({ currentTarget }) => change(currentTarget.value)}
      />
      <Wrong id={`${id}-wrong`} text={wrong} />
    </div>
  );
}

function Choice({ name, label, value, wrong, busy, change, options }: FieldProps & { options: Option[] }): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        name={name}
        value={value}
        disabled={busy}
        aria-invalid={!!wrong}
        aria-describedby={`${id}-wrong`}
        onChange={({ currentTarget }) => change(currentTarget.value)}
      >
        {options.map(([option, words]) => (
          <option key={option} value={option}>
            {words}
          </option>
        ))}
      </select>
      <Wrong id={`${id}-wrong`} text={wrong} />
    </div>
  );
}

function Wrong({ id, text }: { id: string; text: Wrongness }): JSX.Element {
  return <p id={id}>{text && <Mark meaning="wrong">{text}</Mark>}</p>;
}
