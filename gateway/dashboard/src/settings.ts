// What the reader chose: language and theme, kept on this device. `?lang=zh&theme=dark` chooses for one visit.

import { computed, effect, signal } from "@preact/signals";

export type Language = "en" | "zh";
export type Theme = "light" | "dark" | "contrast";

export const LANGUAGES: readonly Language[] = ["en", "zh"];
export const THEMES: readonly Theme[] = ["light", "dark", "contrast"];

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`truecount.${key}`);
  } catch {
    return null; // storage is forbidden here: the choice lasts for this visit
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`truecount.${key}`, value);
  } catch {
    // as above
  }
}

function chosen<T extends string>(key: string, allowed: readonly T[]): T | null {
  const wish = new URLSearchParams(location.search).get(key) ?? remembered(key);
  return allowed.find((choice) => choice === wish) ?? null;
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const contrast = matchMedia("(prefers-contrast: more)");
const systemTheme = signal(themeOfSystem());
const chosenTheme = signal(chosen("theme", THEMES));

export const language = signal<Language>(
  chosen("lang", LANGUAGES) ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"),
);
export const theme = computed<Theme>(() => chosenTheme.value ?? systemTheme.value);
/** The reader's own locale for numbers and dates where it speaks the chosen language. */
export const locale = computed(
  () =>
    navigator.languages.find((tag) => tag.startsWith(language.value)) ?? (language.value === "zh" ? "zh-CN" : "en-GB"),
);
export const who = signal(remembered("who") ?? "");

export function chooseLanguage(choice: Language): void {
  language.value = choice;
  remember("lang", choice);
}

export function chooseTheme(choice: Theme): void {
  chosenTheme.value = choice;
  remember("theme", choice);
}

function themeOfSystem(): Theme {
  if (contrast.matches) return "contrast";
  return dark.matches ? "dark" : "light";
}

/** Keep the document in the chosen language and theme. */
export function applySettings(): void {
  for (const query of [dark, contrast]) {
    query.addEventListener("change", () => {
      systemTheme.value = themeOfSystem();
    });
  }
  effect(() => {
    document.documentElement.lang = language.value === "zh" ? "zh-Hans" : "en";
    document.documentElement.dataset.theme = theme.value;
  });
}
