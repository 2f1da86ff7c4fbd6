// What is said at a field moves what lies below it. A button that moves between the press of a pointer and its release is not
// clicked: so it is said when nothing is pressed.

let isPressed = false;
let waiting: (() => void)[] = [];

/** Calls back at once, or as soon as nothing is pressed any more. */
export function whenReleased(then: () => void): void {
  if (isPressed) waiting.push(then);
  else then();
}

function release(): void {
  isPressed = false;
  const all = waiting;
  waiting = [];
  // The click comes right behind the release.
  setTimeout(() => {
    for (const then of all) then();
  });
}

const press = () => {
  isPressed = true;
};
document.addEventListener("pointerdown", press, true);
document.addEventListener("pointerup", release, true);
document.addEventListener("pointercancel", release, true);
