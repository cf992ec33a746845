// What `/` loads first, and each part that it loads only where it is needed, must stay below its budget; the build fails
// where one does not. The first load is the index with all that it names, and what those scripts import by themselves;
// a part is a chunk of the name of its module.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { gzipSync } from "node:zlib";

const FIRST_BYTES = 45_000;
const PART_BYTES = { sorting: 12_000, plot: 25_000, shipment: 8_000 };
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

const FIRST = "the first load";
const groupOf = ({ path }) => (first.has(path) ? FIRST : basename(path).replace(/-.*/, ""));

for (const name of new Set(sizes.map(groupOf))) {
  const budget = name === FIRST ? FIRST_BYTES : (PART_BYTES[name] ?? 0);
  const files = sizes.filter((file) => groupOf(file) === name);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of files) console.log(`${String(bytes).padStart(7)}  ${path}`);
  console.log(`${String(total).padStart(7)}  bytes gzip of ${budget}: ${name}`);
  if (total > budget) {
    console.error(`${name} is ${total - budget} bytes over: see what grew, or argue for a larger budget.`);
    process.exitCode = 1;
  }
}
