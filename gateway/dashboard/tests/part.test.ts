import { expect, test } from "vitest";
import { Part } from "../src/part";

const settled = () => new Promise((done) => setTimeout(done));

test("a part is loaded once, however many want it", async () => {
  let asked = 0;
  const part = new Part(async () => ({ number: ++asked }));
  expect(part.here).toBeNull();
  part.want();
  part.want();
  await settled();
  part.want();
  expect(part.here).toEqual({ number: 1 });
});

test("a part that did not come is asked for again when somebody says so, and not before", async () => {
  let asked = 0;
  const part = new Part(async () => {
    if (++asked === 1) throw new Error("no answer");
    return { asked };
  });
  part.want();
  await settled();
  expect([part.failed, part.here]).toEqual([true, null]);
  part.want();
  await settled();
  expect([part.failed, asked]).toEqual([true, 1]);
  part.again();
  await settled();
  expect([part.failed, part.here]).toEqual([false, { asked: 2 }]);
});
