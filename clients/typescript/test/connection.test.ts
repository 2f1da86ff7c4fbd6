// Connections that are lost and made again: which calls go on, what is shown, and what a program sees of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectError } from "@connectrpc/connect";
import { Backoff } from "../src/connection/backoff.js";
import { Exchange } from "../src/connection/exchange.js";
import { mayHaveRun } from "../src/index.js";
import { type FrameInit, Scene } from "./support/server.js";
import { settled, World } from "./support/world.js";

const EMPTY = new Uint8Array();

interface Options {
  open?: boolean;
  responses?: boolean;
  idempotent?: boolean;
  body?: Uint8Array;
}

function call(
  scene: Scene,
  { open = false, responses = false, idempotent = false, body = EMPTY }: Options = {},
): Exchange {
  const request = { method: 1n, metadata: [], body, open, timeoutUs: () => 0n };
  const exchange = new Exchange(scene.connection.calls, request, { responses, idempotent });
  scene.connection.calls.start(exchange);
  return exchange;
}

/** The answer to a call, or the error that it ends with. */
function outcome(exchange: Exchange): Promise<number | ConnectError> {
  return exchange.next().then(
    (body) => body?.[0] ?? 0,
    (error: ConnectError) => error,
  );
}

const answer = (id: number, byte: number): FrameInit => ({
  streamId: BigInt(id),
  kind: { case: "response", value: { body: new Uint8Array([byte]) } },
});

test("calls that are made without a connection wait for it, in their order", async () => {
  const scene = new Scene();
  const calls = [1, 2, 3].map((byte) => call(scene, { body: new Uint8Array([byte]) }));
  await settled();
  scene.socket.open();
  await settled();
  assert.deepEqual(scene.socket.kinds(), [], "nothing is sent before the server has greeted");
  await scene.socket.greet();
  for (const id of [1, 2, 3]) {
    const { value } = scene.socket.next("request");
    await scene.socket.say(answer(id, (value.body[0] as number) * 10));
  }
  assert.deepEqual(await Promise.all(calls.map(outcome)), [10, 20, 30]);
  assert.deepEqual(scene.states, ["open"]);
});

test("a call that waits for a connection is given up without having been sent", async () => {
  const scene = new Scene();
  const given = call(scene, { body: new Uint8Array(100) });
  given.cancel(new Error("enough"));
  assert.match(String(await outcome(given)), /enough/);
  await settled();
  await scene.socket.greet();
  assert.deepEqual(scene.socket.kinds(), []);
  assert.equal(scene.connection.calls.budget.bytes, 0);
});

test("what was on its way when the connection is lost may have run, and only what is idempotent is sent again", async () => {
  const scene = await Scene.open();
  const [once, again, halfRead, stream] = [
    call(scene),
    call(scene, { idempotent: true }),
    call(scene, { idempotent: true, responses: true }),
    call(scene, { idempotent: true, open: true }),
  ];
  await scene.socket.say({ streamId: 3n, kind: { case: "response", value: { open: true } } });
  await scene.comeBack();
  for (const lost of [once, halfRead, stream]) {
    const error = await outcome(lost);
    assert.match(String(error), /\[unavailable\] the connection was lost \(1006\); the call may have run/);
    assert.equal(mayHaveRun(error), true);
  }
  assert.equal(scene.socket.next("request").id, 1);
  assert.deepEqual(scene.socket.kinds(), []);
  await scene.socket.say(answer(1, 7));
  assert.equal(await outcome(again), 7);
});

test("a call is sent again three times at most", async () => {
  const scene = await Scene.open();
  const lost = outcome(call(scene, { idempotent: true }));
  for (let time = 0; time < 3; time += 1) {
    scene.socket.next("request");
    await scene.comeBack();
  }
  scene.socket.next("request");
  await scene.socket.drop();
  assert.equal(mayHaveRun(await lost), true);
});

test("what waits behind the server's limit of streams is not lost with the connection", async () => {
  const scene = await Scene.open({}, { limits: { maxStreams: 1n } });
  const [sent, waiting, streamed] = [call(scene), call(scene), call(scene, { open: true })];
  const left = streamed.send(new Uint8Array([5]));
  assert.deepEqual(scene.socket.kinds(), ["request"]);
  await scene.comeBack();
  assert.equal(mayHaveRun(await outcome(sent)), true);
  assert.deepEqual(scene.socket.kinds(), ["request", "request", "data"]);
  await scene.socket.say(answer(1, 1), answer(2, 2));
  assert.equal(await left, true);
  assert.deepEqual([await outcome(waiting), await outcome(streamed)], [1, 2]);
});

test("after a go-away new calls go to the next connection, those it has not run too, and running ones finish", async () => {
  const scene = await Scene.open();
  const old = scene.socket;
  const [running, notRun] = [call(scene), call(scene)];
  await old.say({ kind: { case: "goAway", value: { lastStreamId: 1n, returnAfterUs: 3_000_000n, reason: "update" } } });
  const later = call(scene);
  const { state } = scene.connection;
  assert.ok(state.status === "waiting" && /update/.test(state.reason.message));
  await scene.world.pass(2_999);
  assert.equal(scene.sockets.length, 1, "the server has asked for three seconds");
  await scene.world.pass(3_001);
  await scene.socket.greet();
  await scene.socket.say(answer(1, 21), answer(2, 22));
  await old.say(answer(1, 20));
  assert.deepEqual([await outcome(running), await outcome(notRun), await outcome(later)], [20, 21, 22]);
  assert.equal(old.closed?.code, 1000, "the old connection is closed when its calls are over");
});

test("the codes that are final close for good, say why, and let nothing wait", async () => {
  const codes: [number, string][] = [
    [1000, "unavailable"],
    [1008, "permission_denied"],
    [1009, "resource_exhausted"],
    [4500, "unauthenticated"],
    [4503, "unauthenticated"],
    [4504, "unimplemented"],
    [4505, "unauthenticated"],
    [4506, "unavailable"],
  ];
  for (const [code, status] of codes) {
    const scene = await Scene.open();
    await scene.socket.drop(code, "because");
    const { state } = scene.connection;
    assert.ok(state.status === "closed" && state.closeCode === code);
    assert.match(state.reason.message, new RegExp(`^\\[${status}\\] because \\(${code}\\)$`));
    assert.match(String(await outcome(call(scene))), /because/);
    assert.equal(scene.world.timers, 0);
  }
});

test("a token function is asked for each connection, and before the identity ends, in band", async () => {
  let asked = 0;
  const scene = new Scene({ token: async () => `token ${++asked}` });
  await settled();
  const shown = () => scene.socket.protocols.find((protocol) => protocol.startsWith("bearer."))?.slice(7);
  assert.equal(Buffer.from(shown() ?? "", "base64url").toString(), "token 1");
  await scene.socket.greet({ userId: "ann", identityExpiresInUs: 60_000_000n });
  assert.deepEqual(scene.connection.identity.expiresAt, new Date(scene.world.date() + 60_000));
  await scene.socket.say({ kind: { case: "identity", value: { userId: "ann", expiresInUs: 5n, expiresSoon: true } } });
  const { value } = scene.socket.next("authenticate");
  assert.equal(Buffer.from(value.credential).toString(), "token 2");
  assert.equal(value.purpose, 0);
  await scene.socket.say({ kind: { case: "identity", value: { requestId: value.requestId, userId: "ann" } } });
  assert.equal(scene.connection.identity.expiresSoon, false);
  await scene.comeBack(4401);
  assert.equal(Buffer.from(shown() ?? "", "base64url").toString(), "token 3");
});

test("a token function that fails is told, and asked again after waits that grow", async () => {
  let asked = 0;
  const scene = new Scene({
    connectTimeoutMs: 1_000,
    token: () => {
      asked += 1;
      if (asked === 1) throw new Error("no network");
      return asked === 2 ? new Promise<string>(() => {}) : "token";
    },
  });
  const errors: unknown[] = [];
  scene.connection.events.on("error", (error) => errors.push(String(error)));
  await scene.world.pass(5_000);
  assert.ok(scene.sockets.length > 0);
  assert.match(String(errors[0]), /no network/);
  assert.match(String(errors[1]), /gave none within 1000 ms/);
});

test("a refresh that fails is told and tried again while the connection lives", async () => {
  let asked = 0;
  const scene = await Scene.open({ token: () => (++asked === 2 ? Promise.reject(new Error("later")) : "token") });
  const errors: unknown[] = [];
  scene.connection.events.on("error", (error) => errors.push(String(error)));
  await scene.socket.say({ kind: { case: "identity", value: { userId: "ann", expiresSoon: true } } });
  await scene.world.pass(1_000);
  const first = scene.socket.next("authenticate").value.requestId;
  await scene.socket.say({
    kind: { case: "identity", value: { requestId: first, status: { code: 14, message: "busy" } } },
  });
  await scene.world.pass(2_000);
  assert.equal(scene.socket.next("authenticate").value.requestId, first + 1n);
  assert.deepEqual(errors, ["Error: later", "ConnectError: [unavailable] busy"]);
});

test("a token that was accepted on the live connection is shown on the next, and none after signing out", async () => {
  const scene = await Scene.open();
  const known = scene.connection.authenticate(0, "secret");
  await settled();
  const { value } = scene.socket.next("authenticate");
  await scene.socket.say({ kind: { case: "identity", value: { requestId: value.requestId, userId: "ann" } } });
  assert.equal((await known).userId, "ann");
  await scene.comeBack(1012, { userId: "ann" });
  assert.equal(scene.socket.protocols.length, 2);
  const gone = scene.connection.signOut();
  await settled();
  const out = scene.socket.next("authenticate").value;
  assert.deepEqual([out.purpose, out.credential.length], [2, 0]);
  await scene.socket.say({ kind: { case: "identity", value: { requestId: out.requestId } } });
  await gone;
  await scene.comeBack(1012);
  assert.deepEqual(scene.socket.protocols, ["rpc.v1"]);
  assert.equal(scene.connection.identity.userId, undefined);
});

test("signing out without a connection does not come back to the session of who it was", async () => {
  const scene = await Scene.open(
    { token: "secret" },
    { userId: "ann", resumeToken: "first", resumeWithinUs: 60_000_000n },
  );
  await scene.socket.drop();
  await scene.connection.signOut();
  await scene.world.pass(1_000);
  assert.deepEqual(scene.socket.protocols, ["rpc.v1"]);
});

test("a server that warns without end is not answered without end", async () => {
  let asked = 0;
  const scene = await Scene.open({ token: () => `token ${++asked}` });
  for (let warning = 0; warning < 50; warning += 1) {
    await scene.socket.say({ kind: { case: "identity", value: { userId: "ann", expiresSoon: true } } });
    if (scene.socket.kinds().includes("authenticate")) {
      const { requestId } = scene.socket.next("authenticate").value;
      await scene.socket.say({ kind: { case: "identity", value: { requestId, userId: "ann" } } });
    }
    await scene.world.pass(100);
  }
  assert.ok(asked <= 7, `it was asked ${asked} times in five seconds`);
  assert.ok(asked >= 5, "no warning is forgotten");
});

test("a refused token leaves the client who it was", async () => {
  const scene = await Scene.open({}, { userId: "ann" });
  const refused = assert.rejects(scene.connection.authenticate(1, "wrong"), /\[unauthenticated\] wrong/);
  await settled();
  const { value } = scene.socket.next("authenticate");
  const status = { code: 16, message: "wrong" };
  await scene.socket.say({ kind: { case: "identity", value: { requestId: value.requestId, status, userId: "ann" } } });
  await refused;
  assert.equal(scene.connection.identity.userId, "ann");
  await scene.comeBack();
  assert.deepEqual(scene.socket.protocols, ["rpc.v1"], "it is not shown again");
});

test("a token that the handshake refuses silently is shown behind the next, and a refusal there is final", async () => {
  const scene = new Scene({ token: "bad" });
  await settled();
  await scene.socket.drop();
  await scene.world.pass(1_000);
  assert.deepEqual(scene.socket.protocols, ["rpc.v1"]);
  await scene.socket.greet();
  assert.equal(scene.connection.state.status, "connecting", "calls wait until it is decided");
  const { value } = scene.socket.next("authenticate");
  await scene.socket.say({ kind: { case: "identity", value: { requestId: value.requestId, status: { code: 16 } } } });
  assert.deepEqual(scene.states, ["connecting", "waiting", "connecting", "closed"].slice(1));
  assert.match(String(await outcome(call(scene))), /unauthenticated.*4500/);
});

test("a lost connection comes back to its session, with what it has received, and the token only in the greeting", async () => {
  const scene = await Scene.open({}, { resumeToken: "first", resumeWithinUs: 60_000_000n });
  const event: FrameInit = { kind: { case: "event", value: { type: "a.B" } } };
  await scene.socket.say(event, event, { kind: { case: "event", value: { channel: 3n } } });
  await scene.socket.drop();
  await scene.world.pass(1_000);
  assert.deepEqual(scene.socket.protocols, ["rpc.v1", "rpc.v1.resume"]);
  scene.socket.open();
  const { value } = scene.socket.next("greeting");
  assert.deepEqual([value.resumeToken, value.receivedFrames], ["first", 2n]);
  await scene.socket.greet({ resumeToken: "second", resumeWithinUs: 60_000_000n, resumed: true });
  assert.equal(scene.connection.state.status === "open" && scene.connection.state.resumed, true);
  const told = scene.socket.next("acknowledgement").value;
  assert.deepEqual([told.receivedFrames, told.resumeToken], [2n, true]);
  await scene.socket.say(event);
  await scene.world.pass(1_000);
  assert.equal(scene.socket.next("acknowledgement").value.receivedFrames, 3n, "a second later");
  for (let at = 0; at < 32; at += 1) await scene.socket.say(event);
  assert.equal(scene.socket.next("acknowledgement").value.receivedFrames, 35n, "or after 32 of them");
});

test("no session is asked for that has ended, is too old, or is not this user's any more", async () => {
  const greeting = { resumeToken: "first", resumeWithinUs: 30_000_000n };
  const cases: [string, (scene: Scene) => Promise<void>][] = [
    ["ended", (scene) => scene.comeBack(1012, greeting)],
    [
      "too old",
      async (scene) => {
        scene.world.chance = 1;
        for (let time = 0; time < 8; time += 1) {
          await scene.socket.drop();
          await scene.world.pass(20_000);
        }
      },
    ],
    [
      "another user's",
      async (scene) => {
        scene.connection.authenticate(1, "bob").catch(() => {});
        await settled();
        await scene.comeBack(1006, greeting);
      },
    ],
  ];
  for (const [name, lose] of cases) {
    const scene = await Scene.open({}, greeting);
    await lose(scene);
    assert.deepEqual(scene.socket.protocols, ["rpc.v1"], name);
  }
  const without = await Scene.open({ resume: false }, greeting);
  await without.comeBack();
  assert.deepEqual(without.socket.protocols, ["rpc.v1"], "switched off");
});

test("a silent server is asked, and given up without a close frame until the client is back", async () => {
  const scene = await Scene.open();
  const lost = outcome(call(scene, {}));
  await scene.world.pass(24_999);
  assert.deepEqual(scene.socket.kinds(), ["request"]);
  await scene.world.pass(1);
  scene.socket.next("ping");
  await scene.socket.say({ kind: { case: "pong", value: {} } });
  await scene.world.pass(25_000);
  scene.socket.next("ping");
  await scene.world.pass(9_999);
  assert.equal(scene.connection.state.status, "open");
  await scene.world.pass(1);
  assert.match(String(await lost), /does not answer/);
  const silent = scene.socket;
  assert.equal(Boolean(silent.closed), false, "a close frame that arrives would end the session");
  await scene.world.pass(1_000);
  await scene.socket.greet();
  assert.equal(silent.closed?.code, 1000);
});

test("a page that slept asks the server again before it gives it up", async () => {
  const scene = await Scene.open();
  await scene.world.pass(25_000);
  scene.socket.next("ping");
  scene.world.time += 60_000;
  await scene.world.pass(0);
  assert.equal(scene.connection.state.status, "open");
  scene.socket.next("ping");
  await scene.world.pass(10_000);
  assert.equal(scene.connection.state.status, "waiting");
});

test("a page that is shown again or comes online tries at once, or asks whether the server is there", async () => {
  const scene = await Scene.open();
  scene.world.onWake();
  scene.socket.next("ping");
  scene.world.idle = true;
  await scene.socket.drop();
  const { state } = scene.connection;
  assert.ok(
    state.status === "waiting" && state.retryAt.getTime() - scene.world.date() > 5_000,
    "a hidden page is in no hurry",
  );
  scene.world.idle = false;
  scene.world.onWake();
  await scene.world.pass(200);
  assert.equal(scene.sockets.length, 2);
});

test("the wait is ended by reconnect, and failed attempts are counted on", async () => {
  const scene = await Scene.open();
  await scene.socket.drop();
  scene.connection.reconnect();
  await settled();
  assert.deepEqual(scene.connection.state, { status: "connecting", failedAttempts: 1 });
  scene.connection.reconnect();
  await settled();
  assert.equal(scene.sockets.length, 2, "there is one attempt at a time");
});

test("a server that does not greet in time is given up", async () => {
  const scene = new Scene();
  await settled();
  scene.socket.open();
  await scene.world.pass(9_999);
  assert.equal(scene.connection.state.status, "connecting");
  await scene.world.pass(1);
  assert.equal(scene.connection.state.status, "waiting");
  assert.notEqual(scene.socket.closed, undefined, "nothing is kept of it");
});

test("waits are random between 200 ms and a bound that doubles up to 20 s", () => {
  const world = new World();
  for (const chance of [0, 0.25, 1]) {
    world.chance = chance;
    const backoff = new Backoff(undefined, world);
    for (let attempt = 1; attempt <= 40; attempt += 1) {
      const most = Math.min(200 * 2 ** attempt, 20_000);
      assert.equal(backoff.next(0), 200 + chance * (most - 200));
    }
  }
  const asked = new Backoff(undefined, world);
  assert.equal(asked.next(3_000), 6_000, "what the server asks for is spread up to twice of it");
});

test("attempts end where the program says, and begin anew after a connection that lived", async () => {
  const scene = await Scene.open({ reconnect: { attempts: 2 } });
  await scene.world.pass(5_000);
  await scene.comeBack();
  await scene.comeBack();
  await scene.socket.drop();
  assert.equal(scene.connection.state.status, "closed", "two in a row were lost within five seconds");
  const never = await Scene.open({ reconnect: { attempts: 0 } });
  const lost = outcome(call(never, { idempotent: true }));
  await never.socket.drop();
  assert.equal(never.connection.state.status, "closed");
  assert.equal(mayHaveRun(await lost), true);
});

test("closing ends everything that runs or waits, and says so once", async () => {
  const scene = await Scene.open({}, { limits: { maxStreams: 1n } });
  const calls = [call(scene), call(scene)];
  scene.connection.close(4_001, "bye");
  scene.connection.close(4_002, "again");
  for (const one of calls) assert.match(String(await outcome(one)), /\[canceled\] the transport was closed: bye/);
  assert.deepEqual(scene.socket.closed, { code: 4_001, reason: "bye" });
  assert.deepEqual(scene.states, ["open", "closed"]);
  assert.equal(scene.world.timers, 0);
  await assert.rejects(scene.connection.ready(), ConnectError);
});

test("a callback that throws does not stop the others", async () => {
  const reported: unknown[] = [];
  Object.assign(globalThis, { reportError: (error: unknown) => reported.push(error) });
  const scene = new Scene();
  const seen: string[] = [];
  const stop = scene.connection.events.on("state", () => {
    throw new Error("mine");
  });
  const off = scene.connection.events.on("state", ({ status }) => seen.push(status));
  await settled();
  await scene.socket.greet();
  off();
  await scene.socket.drop();
  stop();
  Object.assign(globalThis, { reportError: undefined });
  assert.deepEqual(seen, ["open"]);
  assert.equal(reported.length, 2);
});

test("nothing is left running of a connection that is closed while a refresh waits", async () => {
  const scene = await Scene.open({ token: () => "token" });
  await scene.socket.say({ kind: { case: "identity", value: { userId: "ann", expiresSoon: true } } });
  const { requestId } = scene.socket.next("authenticate").value;
  await scene.socket.say({ kind: { case: "identity", value: { requestId, userId: "ann" } } });
  scene.connection.close(1000, "");
  await settled();
  assert.equal(scene.world.timers, 0);
});

test("a token that has expired is not shown again, and the client comes back as nobody", async () => {
  const scene = await Scene.open({ token: "old" }, { userId: "ann" });
  await scene.comeBack(4401);
  assert.deepEqual(scene.socket.protocols, ["rpc.v1"]);
  assert.equal(scene.connection.identity.userId, undefined);
});

test("go-aways of connections that lived are no failed attempts", async () => {
  const scene = await Scene.open({ reconnect: { attempts: 3 } });
  for (let time = 1; time <= 5; time += 1) {
    await scene.world.pass(5_000);
    await scene.socket.say({ kind: { case: "goAway", value: { lastStreamId: 0n } } });
    const { state } = scene.connection;
    assert.ok(state.status === "waiting" && state.failedAttempts === 1, `go-away ${time}: ${state.status}`);
    await scene.world.pass(1_000);
    await scene.socket.greet();
  }
  assert.equal(scene.connection.state.status, "open");
});

test("a connection whose token in band is never answered is closed, and keeps a session that waits", async () => {
  const scene = await Scene.open(
    { token: "ann", connectTimeoutMs: 1_000 },
    { userId: "ann", resumeToken: "first", resumeWithinUs: 60_000_000n },
  );
  const [opened] = scene.sockets;
  await scene.socket.drop();
  await scene.world.pass(1_000);
  await scene.socket.drop();
  await scene.world.pass(600);
  const silent = scene.socket;
  assert.equal(scene.sockets.indexOf(silent), 2);
  await silent.greet();
  silent.next("authenticate");
  await scene.world.pass(1_000);
  assert.notEqual(silent.closed, undefined, "it holds no session");
  assert.equal(opened?.closed, undefined, "the one that holds the session sends no close frame");
});

test("a session ends with the connection that drains, whatever becomes of the attempts behind it", async () => {
  const scene = await Scene.open({}, { resumeToken: "first", resumeWithinUs: 60_000_000n });
  call(scene)
    .next()
    .catch(() => {});
  const old = scene.socket;
  await old.say({ kind: { case: "goAway", value: { lastStreamId: 1n } } });
  await scene.world.pass(1_000);
  assert.equal(scene.sockets.length, 2);
  await scene.socket.drop();
  await scene.world.pass(1_000);
  assert.equal(scene.sockets.length, 3);
  assert.deepEqual(scene.socket.protocols, ["rpc.v1"], "the session is the old connection's still");
  assert.equal(old.closed, undefined);
});

test("a call that this side refuses has not run, and one whose answer it does not take may have", async () => {
  const long = new Uint8Array(2_000);
  const limits = { maxBodyBytes: 1_000n };
  const refused = await Scene.open({ maxQueuedBytes: 1_000 }, { limits });
  const unsent = [await outcome(call(refused, { body: long }))];
  const short = await Scene.open({}, { limits });
  unsent.push(await outcome(call(short, { body: long })));
  assert.deepEqual(
    [refused, short].flatMap(({ socket }) => socket.kinds()),
    [],
  );
  for (const error of unsent) {
    assert.match(String(error), /\[resource_exhausted\]/);
    assert.equal(mayHaveRun(error), false, String(error));
  }
  const scene = await Scene.open({ maxMessageBytes: 1_000 }, { limits });
  const taken = [call(scene), call(scene), call(scene, { responses: true }), call(scene), call(scene, { open: true })];
  const metadata = Array.from({ length: 129 }, () => ({ key: "a" }));
  await scene.socket.say(
    { streamId: 1n, kind: { case: "response", value: { body: long } } },
    { streamId: 2n, kind: { case: "response", value: { metadata } } },
    { streamId: 3n, kind: { case: "response", value: {} } },
    { streamId: 4n, kind: { case: "end", value: { trailers: metadata } } },
  );
  await taken[4]?.send(long);
  for (const one of taken) {
    const error = await outcome(one);
    assert.ok(error instanceof ConnectError);
    assert.equal(mayHaveRun(error), true, String(error));
  }
});

test("a long call of a client that the server must know and does not fails here, and ends no connection", async () => {
  const long = new Uint8Array(20_000);
  const scene = await Scene.open({}, { authenticationRequired: true });
  const { socket, connection } = scene;
  const error = await outcome(call(scene, { body: long }));
  assert.match(String(error), /\[unauthenticated\] the server requires a token/);
  assert.equal(mayHaveRun(error), false);
  assert.deepEqual(socket.kinds(), []);
  const stream = call(scene, { open: true });
  await stream.send(long);
  assert.deepEqual(socket.kinds(), ["request", "data", "data", "data"], "what is sent in parts is short");
  socket.received = [];
  // Behind a token that may be accepted they may be long.
  const known = assert.rejects(connection.authenticate(0, "secret"));
  call(scene, { body: long })
    .next()
    .catch(() => {});
  assert.deepEqual(socket.kinds(), ["authenticate", "request"]);
  const { requestId } = socket.next("authenticate").value;
  await socket.say({ kind: { case: "identity", value: { requestId, status: { code: 16 } } } });
  await known;
  assert.match(String(await outcome(call(scene, { body: long }))), /requires a token/, "it was refused");
  const again = connection.authenticate(0, "better");
  await socket.say({ kind: { case: "identity", value: { requestId: requestId + 1n, userId: "ann" } } });
  await again;
  socket.received = [];
  call(scene, { body: long })
    .next()
    .catch(() => {});
  assert.deepEqual(socket.kinds(), ["request"]);
});

test("messages that have come go to those who wait for them first", async () => {
  const scene = await Scene.open();
  const stream = call(scene, { responses: true });
  const said = (byte: number): FrameInit => ({
    streamId: 1n,
    kind: { case: "data", value: { body: new Uint8Array([byte]) } },
  });
  const [first, second] = [stream.next(), stream.next()];
  void scene.socket.say({ streamId: 1n, kind: { case: "response", value: { open: true } } }, said(1), said(2), said(3));
  assert.equal(stream.take(), undefined, "two wait who have not been given theirs");
  assert.deepEqual([await first, await second], [new Uint8Array([1]), new Uint8Array([2])]);
  await settled();
  assert.deepEqual(stream.take(), new Uint8Array([3]));
  assert.equal(stream.take(), undefined);
});

test("a token that cannot be made fresh ends with its expiry where the server must know who it is", async () => {
  const greeting = { userId: "ann", authenticationRequired: true };
  const fixed = await Scene.open({ token: "old" }, greeting);
  await fixed.socket.drop(4401);
  const { state } = fixed.connection;
  assert.ok(state.status === "closed" && state.closeCode === 4401);
  assert.match(state.reason.message, /^\[unauthenticated\] the token has expired/);
  const asked = await Scene.open({ token: () => "fresh" }, greeting);
  await asked.comeBack(4401, greeting);
  assert.equal(asked.connection.state.status, "open", "a function is asked for another one");
});

test("a server that never answers is given up although timers of a hidden tab come late", async () => {
  const scene = await Scene.open();
  for (let minute = 1; minute <= 3; minute += 1) {
    assert.equal(scene.connection.state.status, "open", `minute ${minute}`);
    scene.world.time += 60_000;
    await scene.world.pass(0);
  }
  assert.equal(scene.connection.state.status, "waiting");
  await scene.world.pass(20_000);
  await scene.socket.greet();
  for (let minute = 1; minute <= 9; minute += 1) {
    scene.world.time += 60_000;
    await scene.world.pass(0);
    await scene.socket.say({ kind: { case: "pong", value: {} } });
  }
  assert.equal(scene.connection.state.status, "open", "one that answers is not");
});

test("signing out in the turn in which the transport was made shows nothing", async () => {
  for (const token of ["secret", () => "secret"]) {
    const scene = new Scene({ token });
    await scene.connection.signOut();
    await settled();
    assert.deepEqual(scene.socket.protocols, ["rpc.v1"]);
  }
});

test("signing out holds although the connection is lost meanwhile, and rejects what the server refuses", async () => {
  const scene = await Scene.open({ token: "secret" }, { userId: "ann" });
  const lost = scene.connection.signOut();
  await settled();
  await scene.comeBack();
  await lost;
  assert.deepEqual(scene.socket.protocols, ["rpc.v1"]);
  const refused = assert.rejects(scene.connection.signOut(), /busy/);
  await settled();
  const { requestId } = scene.socket.next("authenticate").value;
  await scene.socket.say({ kind: { case: "identity", value: { requestId, status: { code: 14, message: "busy" } } } });
  await refused;
});

test("a go-away before a token that is shown in band was answered is one like any other", async () => {
  const scene = new Scene({ token: "ann" });
  await settled();
  await scene.socket.drop();
  await scene.world.pass(1_000);
  await scene.socket.greet();
  const old = scene.socket;
  const { requestId } = old.next("authenticate").value;
  const waits = call(scene);
  await old.say({ kind: { case: "goAway", value: { returnAfterUs: 2_000_000n } } });
  assert.equal(scene.connection.state.status, "waiting");
  await old.say({ kind: { case: "identity", value: { requestId, userId: "ann" } } });
  assert.equal(old.closed?.code, 1000);
  await scene.world.pass(10_000);
  assert.equal(scene.sockets.length, 3);
  await scene.socket.greet();
  const shown = scene.socket.next("authenticate").value.requestId;
  await scene.socket.say({ kind: { case: "identity", value: { requestId: shown, userId: "ann" } } });
  await scene.socket.say(answer(scene.socket.next("request").id, 9));
  assert.equal(await outcome(waits), 9);
});

test("making a connection takes no longer than it may, with asking for the token", async () => {
  let give = (_: string) => {};
  const scene = new Scene({
    token: () =>
      new Promise<string>((resolve) => {
        give = resolve;
      }),
  });
  await scene.world.pass(9_000);
  give("token");
  await settled();
  scene.socket.open();
  await scene.world.pass(999);
  assert.equal(scene.connection.state.status, "connecting");
  await scene.world.pass(1);
  assert.equal(scene.connection.state.status, "waiting");
});

test("a page that is looked at does not undo the wait that a server has asked for", async () => {
  const scene = await Scene.open();
  await scene.socket.say({ kind: { case: "goAway", value: { returnAfterUs: 10_000_000n } } });
  scene.world.onWake();
  await scene.world.pass(9_999);
  assert.equal(scene.sockets.length, 1);
  await scene.world.pass(1);
  assert.equal(scene.sockets.length, 2);
});

test("a stream's first message is held to the server's limit also where it has waited for the connection", async () => {
  const scene = new Scene();
  const stream = call(scene, { open: true });
  const sent = stream.send(new Uint8Array(2_000));
  await settled();
  await scene.socket.greet({ limits: { maxBodyBytes: 1_000n } });
  assert.match(String(await outcome(stream)), /\[resource_exhausted\] a message of 2000 bytes is longer/);
  assert.equal(await sent, false);
  assert.deepEqual(scene.socket.kinds(), []);
  assert.equal(scene.connection.calls.budget.bytes, 0);
});

test("whom the server refuses a session comes back without it, once, where a token says who that is", async () => {
  const greeting = { userId: "ann", resumeToken: "first", resumeWithinUs: 60_000_000n };
  const scene = await Scene.open({ token: () => "bob" }, greeting);
  await scene.socket.drop();
  await scene.world.pass(1_000);
  assert.deepEqual(scene.socket.protocols.slice(0, 2), ["rpc.v1", "rpc.v1.resume"]);
  scene.socket.open();
  await scene.comeBack(4506, { userId: "bob" });
  assert.deepEqual(scene.socket.protocols.length, 2);
  assert.equal(scene.connection.identity.userId, "bob");
  await scene.socket.drop(4506);
  assert.equal(scene.connection.state.status, "closed", "there was no session to be refused");
  const nobody = await Scene.open({}, greeting);
  await nobody.socket.drop();
  await nobody.world.pass(1_000);
  await nobody.socket.drop(4506);
  assert.equal(nobody.connection.state.status, "closed", "nobody would be somebody else than the session was");
});
