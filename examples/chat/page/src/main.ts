// Where the page begins: with who is there.

import { forget, kept, type Login } from "./account.js";
import { App } from "./chat/app.js";
import { fill } from "./dom.js";
import { drafts } from "./view/composer.js";
import { loginView } from "./view/login.js";

const page = document.querySelector("#page");
if (page === null) throw new Error("the page has no place for what it shows");

function enter(login: Login, rooms: readonly string[] = []): void {
  const app = new App({
    login,
    rooms,
    onLoggedOut: (why, rooms) => {
      forget();
      leave(why, login.user, rooms);
    },
    onAgain: (rooms) => enter(login, rooms),
    onLogOut: () => {
      forget();
      drafts.clear();
      history.replaceState(null, "", location.pathname);
      leave();
    },
  });
  fill(page as Element, app.element);
}

/** Asks who is there; `user`, if it was somebody, for whom everything stays as it was. */
function leave(because?: string, user?: string, rooms?: readonly string[]): void {
  const done = (login: Login) => enter(login, rooms);
  const other = () => {
    drafts.clear();
    leave();
  };
  fill(page as Element, loginView({ because, user, done, other }));
}

const login = kept();
if (login) enter(login);
else leave();
