// The strip at the top: which site, how fresh, which links hold, how much is open, and the reader's own choices.

import type { JSX } from "preact";
import type { Key } from "../messages";
import { chooseLanguage, chooseTheme, LANGUAGES, language, THEMES, theme } from "../settings";
import { heardUs, openExceptions, silentMs, site, stale } from "../store";
import { inLanguage } from "../titles";
import type { LinkView } from "../views";
import { decimal, Say, say, time } from "../words";
import { Span } from "./age";
import { Mark, type Meaning } from "./mark";

export function Strip(): JSX.Element {
  const view = site.value;
  return (
    <header class="strip" data-stale={stale.value || undefined}>
      <h1>
        <span class="brand">Truecount</span>
        {view && <bdi class="site">{inLanguage(view.title)}</bdi>}
      </h1>
      {view && <Liveness />}
      {view && (
        <ul class="links">
          <Link name="broker" link={view.broker} />
          <Link name="history" link={view.history} />
          <Link name="cloud" link={view.cloud} />
          {!view.pictures_kept && <NoPictures />}
        </ul>
      )}
      {view && <OpenCount />}
      <Choices />
    </header>
  );
}

/** The page's own watch: age of the newest news, and since when there is none. */
function Liveness(): JSX.Element {
  const silent = silentMs.value ?? 0;
  return (
    <div class="live">
      {stale.value ? (
        <Mark meaning="stale">
          <Say id="stale.word" />
        </Mark>
      ) : (
        <span>
          <Say id="live" age={<span class="figure">{say("age.seconds", { seconds: decimal(silent / 1000) })}</span>} />
        </span>
      )}
    </div>
  );
}

/** Says since when the figures are old; announced at once. */
export function Silence(): JSX.Element {
  const since = heardUs.value;
  const shown = stale.value && since !== null;
  return (
    <div role="alert" class="silence" hidden={!shown}>
      {shown && (
        <Say
          id="stale.since"
          time={time(since)}
          age={
            <span aria-hidden="true">
              <Span since={since} />
            </span>
          }
        />
      )}
    </div>
  );
}

const LINK_MEANING: Record<LinkView["state"], Meaning> = { ok: "quiet", behind: "moving", down: "attention" };

function Link({ name, link }: { name: "broker" | "history" | "cloud"; link: LinkView }): JSX.Element {
  return (
    <li data-link={name} data-state={link.state}>
      <span class="label">{say(`link.${name}`)}</span>{" "}
      {link.state === "ok" ? <Say id="link.ok" /> : <Mark meaning={LINK_MEANING[link.state]}>{linkWords(link)}</Mark>}
    </li>
  );
}

/** There is nothing to say of the pictures while they are kept. */
function NoPictures(): JSX.Element {
  return (
    <li data-link="pictures" data-state="down">
      <span class="label">{say("link.pictures")}</span>{" "}
      <Mark meaning="attention">
        <Say id="link.notKept" />
      </Mark>
    </li>
  );
}

function linkWords({ state, waiting, oldest_us }: LinkView): JSX.Element {
  if (state === "down") return waiting > 0 ? <Say id="link.downWaiting" count={waiting} /> : <Say id="link.down" />;
  if (oldest_us == null) return <Say id="link.behind" count={waiting} />;
  return <Say id="link.behindSince" count={waiting} age={<Span since={oldest_us} />} />;
}

function OpenCount(): JSX.Element {
  const open = openExceptions.value;
  const wrong = open.some((exception) => exception.severity === "wrong");
  if (open.length === 0)
    return (
      <span class="open">
        <Say id="open.none" />
      </span>
    );
  return (
    <a class="open" href="#todo">
      <Mark meaning={wrong ? "wrong" : "attention"}>
        <Say id="open.some" count={open.length} />
      </Mark>
    </a>
  );
}

const LANGUAGE_NAMES = { en: "EN", zh: "中文" } as const;

function Choices(): JSX.Element {
  return (
    <div class="choices">
      <fieldset class="segments">
        <legend class="unseen">{say("language.choose")}</legend>
        {LANGUAGES.map((choice) => (
          <button
            key={choice}
            type="button"
            lang={choice}
            aria-pressed={choice === language.value}
            onClick={() => chooseLanguage(choice)}
          >
            {LANGUAGE_NAMES[choice]}
          </button>
        ))}
      </fieldset>
      <fieldset class="segments">
        <legend class="unseen">{say("theme.choose")}</legend>
        {THEMES.map((choice) => (
          <button key={choice} type="button" aria-pressed={choice === theme.value} onClick={() => chooseTheme(choice)}>
            {say(`theme.${choice}` satisfies Key)}
          </button>
        ))}
      </fieldset>
    </div>
  );
}
