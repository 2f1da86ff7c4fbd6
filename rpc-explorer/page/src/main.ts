// Where the page begins: with where the server says that its endpoints are.

import { App } from "./app.js";
import { element, fill } from "./dom.js";
import { notice } from "./view/notice.js";
import { button } from "./view/parts.js";

const page = document.querySelector("#page");
if (page === null) throw new Error("the page has no place for what it shows");

/** The paths of the server's endpoints, relative to the page. */
async function endpoints(): Promise<string[]> {
  const response = await fetch("./endpoints.json");
  if (!response.ok) throw new Error(`the server answers with ${response.status}`);
  const told: unknown = await response.json();
  const { endpoints } = told as { endpoints?: unknown };
  if (Array.isArray(endpoints) && endpoints.every((path) => typeof path === "string") && endpoints.length > 0)
    return endpoints;
  throw new Error("what the server tells of its endpoints is not understood");
}

async function begin(): Promise<void> {
  try {
    const app = new App(await endpoints());
    fill(page as Element, app.element);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const told = notice(
      "bad",
      "The explorer cannot begin",
      [`It does not learn where the server's endpoints are: ${why}.`],
      button("strong", () => location.reload(), "Try again"),
    );
    fill(page as Element, element("main", { class: "main" }, told));
  }
}

await begin();
