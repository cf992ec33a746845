import { render } from "preact";
import "./tokens.css";
import "./page.css";
import { App } from "./app";
import { applySettings } from "./settings";
import { StoreSink, startClock } from "./store";
import { Stream } from "./stream";

applySettings();
startClock();

const stream = new Stream("api/v1/live", new StoreSink());
for (const event of ["online", "pageshow", "focus"]) addEventListener(event, () => stream.hurry());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") stream.hurry();
});

const root = document.getElementById("page");
if (root) render(<App />, root);
void stream.run();
