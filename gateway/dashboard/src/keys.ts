// What keys do everywhere alike.

/** For `onKeyDown`: Escape closes, unless it only ends the typing of a character. */
export const onEscape =
  (close: () => void) =>
  ({ key, isComposing }: KeyboardEvent): void => {
    if (key === "Escape" && !isComposing) close();
  };
