// What `/` loads first, and what it loads only where it is needed, must each stay below a budget; the build fails where
// one does not. The first load is the index with all that it names, and what those scripts import by themselves.
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { gzipSync } from "node:zlib";

const FIRST_BYTES = 60_000;
const LATER_BYTES = 12_000;
const dist = new URL("../dist", import.meta.url).pathname;

/** The files that one names: the index in its attributes, a script in `import "./x.js"` and `export from "./x.js"`. */
function named(path) {
  const text = readFileSync(join(dist, path), "utf8");
  const names = path.endsWith(".html")
    ? text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)
    : path.endsWith(".js")
      ? text.matchAll(/(?:import|from)\s*"(\.[^"]+)"/g)
      : [];
  return [...names].map(([, name]) => posix.join(posix.dirname(path), name));
}

const first = new Set(["index.html"]);
for (const path of first) for (const name of named(path)) first.add(name);

const sizes = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith(".map"))
  .map((entry) => {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    return { path: path.slice(dist.length + 1), bytes: gzipSync(readFileSync(path), { level: 9 }).length };
  });

for (const { when, budget, has } of [
  { when: "at first", budget: FIRST_BYTES, has: (path) => first.has(path) },
  { when: "where needed", budget: LATER_BYTES, has: (path) => !first.has(path) },
]) {
  const these = sizes.filter(({ path }) => has(path));
  const total = these.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of these) console.log(`${String(bytes).padStart(7)}  ${path}`);
  console.log(`${String(total).padStart(7)}  bytes gzip ${when}, of ${budget}`);
  if (total > budget) {
    console.error(`${when}, the page is ${total - budget} bytes over: see what grew, or argue for a larger budget.`);
    process.exitCode = 1;
  }
}
