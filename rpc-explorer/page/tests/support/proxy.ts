// A proxy between a page and a server, which has the server's paths as others.

import { request as ask, createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";

/** The path at the server for one of the proxy's; `undefined`: there is nothing there. */
export type PathAtServer = (path: string) => string | undefined;

export class ReverseProxy implements AsyncDisposable {
  readonly #server: Server;
  /** The paths of the WebSockets that are open. */
  readonly open: string[] = [];

  private constructor(port: number, at: PathAtServer) {
    const host = "127.0.0.1";
    this.#server = createServer((asked, answer) => {
      const path = at(asked.url ?? "/");
      if (path === undefined) {
        answer.writeHead(404).end();
        return;
      }
      const far = ask({ host, port, path, method: asked.method, headers: asked.headers }, (told) => {
        answer.writeHead(told.statusCode ?? 502, told.headers);
        told.pipe(answer);
      });
      far.on("error", () => answer.destroy());
      asked.pipe(far);
    });
    this.#server.on("upgrade", (asked, near, head) => {
      const url = asked.url ?? "/";
      const path = at(url);
      if (path === undefined) {
        near.destroy();
        return;
      }
      const far = connect(port, host);
      const headers = asked.rawHeaders.map((word, at) => (at % 2 === 0 ? `${word}: ` : `${word}\r\n`));
      far.write(`GET ${path} HTTP/1.1\r\n${headers.join("")}\r\n`);
      far.write(head);
      this.open.push(url);
      near.on("close", () => this.open.splice(this.open.indexOf(url), 1));
      for (const [from, into] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on("error", () => into.destroy());
        from.on("close", () => into.destroy());
        from.pipe(into);
      }
    });
  }

  /** A proxy for a port of this machine. */
  static async to(port: number, at: PathAtServer): Promise<ReverseProxy> {
    const proxy = new ReverseProxy(port, at);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
