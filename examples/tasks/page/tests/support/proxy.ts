// A network between a page and a server, which can be cut: connections end without a word, and new ones are refused.

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Network implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  readonly #servers = new Set<Socket>();
  /** How many connections were asked for while it was cut. */
  refused = 0;

  private constructor(to: number) {
    this.#server = createServer((near) => {
      if (this.#isCut) {
        this.refused += 1;
        near.destroy();
        return;
      }
      const far = connect(to, "127.0.0.1");
      for (const [from, into] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on("error", () => into.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          into.destroy();
        });
      }
      near.pipe(far);
      far.on("data", (data) => near.write(data));
      this.#servers.add(far);
      far.on("close", () => this.#servers.delete(far));
    });
  }

  /** A network to a port of this machine. */
  static async to(port: number): Promise<Network> {
    const network = new Network(port);
    await new Promise<void>((resolve) => network.#server.listen(0, "127.0.0.1", resolve));
    return network;
  }

  /** Where the page is, over this network. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Holds back what the server sends, until it is restored or lost by a cut; what the page sends arrives. */
  mute(): void {
    for (const server of this.#servers) server.pause();
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.#isCut = false;
    for (const server of this.#servers) server.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
