import { describe, expect, it } from "vitest";
import { messages } from "../src/messages";

const sources = Object.values(
  import.meta.glob<string>("../src/**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true }),
).join("\n");

/** `link.${name}` stands for every key that begins so. */
function usesOf(source: string): RegExp[] {
  const quoted = [...source.matchAll(/["`]((?:[\w$}.{]|\.)+)["`]/g)].map((match) => match[1] ?? "");
  return quoted.map(
    (text) =>
      new RegExp(
        `^${text
          .split(/\$\{[^}]*\}/)
          .map((part) => part.replaceAll(".", "\\."))
          .join("\\w+")}$`,
      ),
  );
}

describe("the table of messages", () => {
  it("holds no message that nobody says", () => {
    const uses = usesOf(sources.replace(/export const messages = \{[\s\S]*?\} as const/, ""));
    expect(Object.keys(messages).filter((key) => !uses.some((use) => use.test(key)))).toEqual([]);
  });

  it("says something in both languages, Chinese in Chinese", () => {
    for (const [key, { en, zh }] of Object.entries(messages)) {
      for (const text of [zh, ...(typeof en === "string" ? [en] : Object.values(en))])
        expect(text.trim(), key).not.toBe("");
      expect(/[一-鿿]/.test(zh) || !/[A-Za-z]{3}/.test(zh.replace(/\{\w+\}/g, "")), key).toBe(true);
    }
  });
});
