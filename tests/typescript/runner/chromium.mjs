// Runs the cases in a page of headless Chromium.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { launch } from "../../pages/chromium.mjs";

const PAGE = `<!doctype html><meta charset="utf-8"><title>cases</title>`;

/** A browser, which ends with `use`. */
export async function withBrowser(use) {
  const browser = await launch();
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

/** A page on loopback that can import a script. It ends with `use`. */
async function withPage(script, use) {
  const files = { "/": ["text/html", PAGE], "/script.mjs": ["text/javascript", await readFile(script)] };
  const pages = createServer((request, response) => {
    const [type, body] = files[request.url] ?? ["text/plain", undefined];
    response.writeHead(body === undefined ? 404 : 200, { "content-type": type }).end(body);
  });
  await new Promise((resolve) => pages.listen(0, "127.0.0.1", resolve));
  try {
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${pages.address().port}/`);
      await use(page);
    });
  } finally {
    pages.close();
  }
}

export async function runInChromium({ script, server, filter, report }) {
  await withPage(script, async (page) => {
    const { ask } = await import(script);
    await page.exposeFunction("report", report);
    await page.exposeFunction("askOutside", ask);
    await page.exposeFunction("setOffline", (offline) => page.context().setOffline(offline));
    await page.evaluate(
      async ({ server, filter }) => {
        const { runCases } = await import("/script.mjs");
        // In the order in which they were said.
        let reported = Promise.resolve();
        await runCases({
          platform: "chromium",
          ...server,
          webSocket: undefined,
          filter,
          setOffline: (offline) => window.setOffline(offline),
          askOutside: (url, body, method) => window.askOutside(url, body, method),
          report: (line) => {
            reported = reported.then(() => window.report(line));
          },
          onUncaught: (callback) => {
            window.addEventListener("error", (event) => callback(event.error ?? event.message));
            window.addEventListener("unhandledrejection", (event) => callback(event.reason));
          },
        });
        await reported;
      },
      { server, filter },
    );
  });
}
