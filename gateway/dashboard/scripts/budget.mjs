// The first load, everything the page needs, must stay below the budget; the build fails where it does not.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 60_000;
const dist = new URL("../dist", import.meta.url).pathname;

const sizes = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith(".map"))
  .map((entry) => {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    return { path: path.slice(dist.length + 1), bytes: gzipSync(readFileSync(path), { level: 9 }).length };
  });
const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);

for (const { path, bytes } of sizes) console.log(`${String(bytes).padStart(7)}  ${path}`);
console.log(`${String(total).padStart(7)}  bytes gzip, of ${BUDGET_BYTES}`);
if (total > BUDGET_BYTES) {
  console.error(`The page is ${total - BUDGET_BYTES} bytes over its budget: see what grew, or argue for a larger one.`);
  process.exit(1);
}
