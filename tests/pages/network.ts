// A network between a page and a server, which can be cut: connections end without a word, and new ones are refused.

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Network implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Those of them to the server. */
  readonly #far = new Set<Socket>();
  #isCut = false;
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
      this.#far.add(far);
      far.on("close", () => this.#far.delete(far));
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
      // Not by a pipe, which would go on by itself after a pause.
      far.on("data", (data) => near.write(data));
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
    for (const far of this.#far) far.pause();
  }

  /** Ends all connections, and refuses those that are asked for. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** All is as it was before it was cut or muted. */
  restore(): void {
    this.#isCut = false;
    for (const far of this.#far) far.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
