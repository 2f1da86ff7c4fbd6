// The page: what is done in it goes to the session, and what the session has goes into the view.

import type { Change, Elsewhere } from "./model/board.js";
import { kept, type Login } from "./session/login.js";
import { Session } from "./session/session.js";
import { AddForm } from "./view/add.js";
import { announce } from "./view/announce.js";
import { byId, setText } from "./view/dom.js";
import { FilterView } from "./view/filter.js";
import { ListView } from "./view/list.js";
import { LoginView } from "./view/login.js";
import { Notices } from "./view/notices.js";
import { StatusView } from "./view/status.js";
import { standing } from "./words/connection.js";
import { refusal, waitInWords, why } from "./words/errors.js";
import { count, quote } from "./words/text.js";

const add = new AddForm((label) => {
  make({ kind: "add", key: session.board.newKey(), label: label.toWellFormed(), checked: false });
  announce([quote(label), " is added."]);
});
const notices = new Notices(byId("notices", HTMLElement), () => add.focus());
const filter = new FilterView(() => render());
const status = new StatusView(() => session.tryNow());
const login = new LoginView("auth", (login) => void become(login));
const list = new ListView(byId("list", HTMLUListElement), {
  check: (key, checked) => {
    const label = session.board.row(key)?.label ?? "";
    make({ kind: "check", key, checked });
    announce([quote(label), checked ? " is done." : " is to be done."]);
  },
  rename: (key, label) => {
    make({ kind: "rename", key, label: label.toWellFormed() });
    announce(["It is called ", quote(label), " now."]);
  },
  remove: (key) => {
    const row = session.board.row(key);
    if (!row) return;
    make({ kind: "remove", key });
    const { label, checked } = row;
    const putBack = () => {
      make({ kind: "add", key: session.board.newKey(), label, checked });
      announce([quote(label), " is back, at the end of the list."]);
      add.focus();
    };
    notices.add({ tone: "done", words: [quote(label), " is removed."], action: { name: "Put it back", run: putBack } });
  },
  lostEdit: (label, typed) => {
    const put = () => add.put(typed);
    const words = [quote(label), " was removed while you were renaming it to ", quote(typed), "."];
    notices.add({ tone: "problem", words, action: { name: "Add it anew", run: put } });
  },
  focusElsewhere: () => add.focus(),
});

const session = new Session("rpc", kept(Date.now()), {
  changed: () => render(),
  elsewhere,
  refused,
  asksToWait: (ms) => {
    const words = [`The server asks to wait ${waitInWords(ms)}. What you have done is kept, and sent then.`];
    notices.add({ tone: "problem", words });
  },
  endsSoon: (at) => {
    const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const again = { name: "Log in again", run: () => login.open(session.login?.name) };
    notices.add({ tone: "problem", words: [`Your login ends at ${time}.`], action: again });
  },
});

function make(change: Change): void {
  notices.clearDone();
  session.make(change);
}

/** A change was not made: what was typed comes back, where it can be mended. */
function refused(change: Change, label: string, error: unknown): void {
  const words = refusal(change, label, error);
  switch (change.kind) {
    case "add": {
      const [first, ...rest] = why(change.label, error);
      const begun = typeof first === "string" ? [first.charAt(0).toUpperCase() + first.slice(1), ...rest] : [];
      if (add.giveBack(change.label, begun)) return;
      notices.add({ tone: "problem", words, action: { name: "Edit it", run: () => add.put(change.label) } });
      return;
    }
    case "rename": {
      const again = () => {
        const row = list.row(change.key);
        if (row) row.edit(change.label);
        else add.put(change.label);
      };
      notices.add({ tone: "problem", words, action: { name: "Edit it", run: again } });
      return;
    }
    default:
      // It is not removed after all, and needs not be put back.
      notices.clearDone();
      notices.add({ tone: "problem", words });
  }
}

/** Something was done to the list in another window, or by somebody else. */
function elsewhere({ what, key, label }: Elsewhere): void {
  const done = {
    added: "was added",
    renamed: "is its name now",
    checked: "is done",
    unchecked: "is to be done",
    removed: "was removed",
  };
  announce([quote(label), ` ${done[what]}, elsewhere.`]);
  // Its line is there when the page has been shown anew.
  queueMicrotask(() => queueMicrotask(() => list.row(key)?.flash()));
}

async function become(login: Login): Promise<void> {
  if (session.login?.userId !== login.userId) list.closeFields();
  notices.clear();
  announce([`You are logged in as ${login.name}.`]);
  await session.become(login);
  add.focus();
}

async function leave(): Promise<void> {
  const { unsaved } = session.board;
  const go = async () => {
    list.closeFields();
    notices.clear();
    announce(["You are logged out."]);
    await session.leave();
    add.focus();
  };
  if (unsaved === 0) return go();
  const words = [`${count(unsaved, "change is", "changes are")} not saved yet, and would be lost.`];
  notices.add({ tone: "problem", words, action: { name: "Log out all the same", run: () => void go() } });
}

byId("log-in", HTMLButtonElement).addEventListener("click", () => login.open());
byId("log-out", HTMLButtonElement).addEventListener("click", () => void leave());
byId("ended-log-in", HTMLButtonElement).addEventListener("click", () => login.open(session.login?.name));
byId("ended-go-on", HTMLButtonElement).addEventListener("click", () => void leave());
window.addEventListener("online", () => render());
window.addEventListener("offline", () => render());
window.addEventListener("beforeunload", (event) => {
  // The browser asks whether to leave: what is not saved lives in this page alone.
  if (session.unsaved > 0) event.preventDefault();
});

let isDue = false;

/** Shows everything anew, once for all that happens in one turn. */
function render(): void {
  if (isDue) return;
  isDue = true;
  queueMicrotask(() => {
    isDue = false;
    show();
  });
}

function show(): void {
  const { board, access } = session;
  const rows = board.rows();
  filter.update(rows);
  list.update(rows, filter.isShown);
  status.update(
    access === "granted"
      ? standing(session.state, session.caughtUp, navigator.onLine)
      : { tone: "over", short: "Not logged in" },
  );
  showAccount();
  byId("sheet", HTMLElement).hidden = access === "required";
  const shown = rows.filter(filter.isShown).length;
  const empty = byId("empty", HTMLElement);
  const isEmpty = shown === 0 && (board.known || rows.length > 0);
  empty.hidden = !isEmpty;
  if (isEmpty) {
    const nothing = rows.length === 0;
    const texts = {
      all: "Nothing to do.",
      open: nothing ? "Nothing to do." : "All done.",
      done: "Nothing is done yet.",
    };
    setText(byId("empty-title", HTMLElement), texts[filter.choice]);
    byId("empty-hint", HTMLElement).hidden = !nothing;
  }
  byId("loading", HTMLElement).hidden = board.known || rows.length > 0;
  const loading = access === "granted" ? "Fetching the list…" : "Your list is here again when you have logged in.";
  setText(byId("loading", HTMLElement), loading);
  const { unsaved } = board;
  setText(byId("unsaved", HTMLElement), unsaved === 0 ? "" : `${count(unsaved, "change", "changes")} not saved yet`);
}

function showAccount(): void {
  const { login, access } = session;
  byId("log-in", HTMLElement).hidden = login !== undefined;
  byId("account", HTMLElement).hidden = login === undefined || access === "ended";
  setText(byId("account-name", HTMLElement), login?.name ?? "");
  setText(byId("whose", HTMLElement), login ? "Your list" : "The shared list");
  const ended = byId("ended", HTMLElement);
  const words = {
    granted: "",
    ended: "Your login has ended. What you have typed and done stays here until you log in again.",
    required: "This server shows lists to those who are logged in.",
  }[access];
  const line = byId("ended-sentence", HTMLElement);
  if (words !== "" && line.textContent !== words) announce([words], true);
  setText(line, words);
  ended.hidden = access === "granted";
  byId("ended-go-on", HTMLElement).hidden = access !== "ended";
}

render();
add.focus();
