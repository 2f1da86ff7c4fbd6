// Who one is at an endpoint, where the server takes its time to say so. The server is a socket that answers what it is told to.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FrameSchema } from "rpc-websocket/protos/v1/frame";

type Kind = NonNullable<MessageInitShape<typeof FrameSchema>["kind"]>;

/** A token that was shown, and how it is accepted. */
interface Shown {
  readonly token: string;
  accept(): void;
}

/** The end of a server, which greets and keeps what it is shown. */
class Socket extends EventTarget {
  static shown: Shown[] = [];
  static onShown = () => {};
  readonly protocol = "rpc.v1";
  readonly bufferedAmount = 0;
  onopen = () => {};
  onmessage = (_: { data: ArrayBuffer }) => {};

  constructor() {
    super();
    setTimeout(() => {
      this.onopen();
      this.#says({ case: "greeting", value: { clientId: "c", heartbeatIntervalUs: 3_600_000_000n } });
    });
  }

  send(data: Uint8Array): void {
    const { kind } = fromBinary(FrameSchema, data);
    if (kind.case !== "authenticate") return;
    const { requestId, credential } = kind.value;
    const token = new TextDecoder().decode(credential);
    Socket.shown.push({ token, accept: () => this.#says({ case: "identity", value: { requestId, userId: token } }) });
    Socket.onShown();
  }

  close(): void {}

  #says(kind: Kind): void {
    this.onmessage({ data: new Uint8Array(toBinary(FrameSchema, create(FrameSchema, { kind }))).buffer });
  }
}

Object.assign(globalThis, { WebSocket: Socket, location: new URL("http://server.test/explorer/") });
const { Endpoint, LOGIN_MS } = await import("../src/server/endpoint.js");
const { token } = await import("../src/server/token.js");

/** The next token that is shown. */
function next(): Promise<Shown> {
  return new Promise((resolve) => {
    const look = () => {
      const shown = Socket.shown.shift();
      if (shown) resolve(shown);
      else Socket.onShown = look;
    };
    look();
  });
}

/** Logs in by a token that the server does not answer within the time that one waits; gives how it is accepted later. */
async function late(endpoint: InstanceType<typeof Endpoint>, given: string): Promise<Shown> {
  const real = globalThis.setTimeout;
  let isOver: (() => void) | undefined;
  const spy = (over: () => void, ms?: number) => {
    if (ms !== LOGIN_MS) return real(over, ms);
    isOver = over;
    return undefined;
  };
  globalThis.setTimeout = spy as typeof setTimeout;
  const logging = endpoint.logIn(given);
  globalThis.setTimeout = real;
  const shown = await next();
  assert.ok(isOver, "it does not wait for ever");
  isOver();
  await assert.rejects(logging, /does not answer/);
  return shown;
}

test("a_login_that_is_taken_late_is_kept_unless_somebody_has_logged_in_or_out_since", async () => {
  const endpoint = new Endpoint("rpc");
  await endpoint.transport.ready();
  const [url, settled] = ["rpc", () => new Promise((resolve) => setTimeout(resolve))];

  (await late(endpoint, "ann")).accept();
  await settled();
  assert.equal(token(url), "ann", "nobody has since");

  const ben = await late(endpoint, "ben");
  assert.equal(token(url), "ann");
  const logging = endpoint.logIn("eva");
  const eva = await next();
  ben.accept();
  await settled();
  eva.accept();
  await logging;
  await settled();
  assert.equal(token(url), "eva", "somebody else has since");

  const flo = await late(endpoint, "flo");
  const leaving = endpoint.signOut();
  const nobody = await next();
  flo.accept();
  await settled();
  assert.equal(token(url), undefined, "they have logged out since");
  nobody.accept();
  await leaving;
  endpoint.close();
});
