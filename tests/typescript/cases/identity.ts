// Who the client is: tokens while it connects and on the live connection, refresh, expiry, another user, nobody.

import { Code, ConnectError } from "@connectrpc/connect";
import type { Identity } from "rpc-websocket";
import { equal, fails, ok } from "../src/assert.js";
import { test } from "../src/harness.js";
import { Queue } from "../src/queue.js";
import { states } from "../src/states.js";

test("a token makes a client known before its first call", async (t) => {
  const world = await t.world({ requiresAuthentication: true });
  const token = await world.token("ann");
  for (const source of [token, () => token, async () => token]) {
    const { transport, cases } = t.client(world, { token: source });
    equal((await cases.membersOnly({})).user, "ann");
    equal([transport.identity.userId, transport.identity.authenticationRequired], ["ann", true]);
    ok(transport.identity.expiresAt instanceof Date, "it says until when");
  }
});

test("a token is in no URL and no header but the one for it", async (t) => {
  const server = await t.byHand();
  t.client(server, { token: "a secret" });
  const connection = await server.connection();
  ok(!connection.protocols.some((protocol) => protocol.includes("a secret")), "not as it is");
});

test("without a token a client is anonymous, and told what is for members only", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  equal((await cases.who({})).user, undefined);
  await fails(cases.membersOnly({}), Code.Unauthenticated);
  equal([transport.identity.userId, transport.identity.authenticationRequired], [undefined, false]);
  for (const nothing of [undefined, null, ""]) {
    equal((await t.client(world, { token: () => nothing }).cases.who({})).user, undefined);
  }
});

test("authenticating gives who the client is, and calls behind it run under it without waiting", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  const seen: Identity[] = [];
  transport.on("identity", (identity) => seen.push(identity));
  await transport.ready();
  const token = await world.token("ann");
  const becoming = transport.authenticate(token);
  const call = cases.membersOnly({});
  const identity = await becoming;
  equal([identity.userId, (await call).user, transport.identity.userId], ["ann", "ann", "ann"]);
  equal(seen.at(-1)?.userId, "ann");
});

test("a credential that was given is shown again after a cut", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  await transport.authenticate(await world.token("ann"));
  for (let round = 0; round < 3; round += 1) {
    await world.cut();
    await t.until(() => transport.state.status !== "open");
    equal((await cases.membersOnly({})).user, "ann");
  }
});

test("a refusal is a status and changes nothing", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world);
  await transport.ready();
  await fails(transport.authenticate("no token"), Code.Unauthenticated);
  equal((await cases.who({})).user, undefined);
  await transport.authenticate(await world.token("ann"));
  await fails(transport.authenticate("no token"), Code.Unauthenticated);
  await fails(transport.authenticate(await world.token("ann", -1_000)), Code.Unauthenticated);
  equal([(await cases.who({})).user, transport.identity.userId], ["ann", "ann"]);
  // What was refused is not shown again.
  await world.cut();
  await t.until(() => transport.state.status !== "open");
  equal((await cases.who({})).user, "ann");
});

test("a token that is refused while connecting is final and says so", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world, { token: "no token" });
  await fails(cases.echo({}), Code.Unauthenticated);
  ok(transport.state.status === "closed", "it is closed");
  await fails(transport.ready(), Code.Unauthenticated);
});

test("another users token closes for good with 4503, and changing the user is what it asks for", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world, { token: await world.token("ann") });
  equal((await cases.who({})).user, "ann");
  equal((await transport.changeUser(await world.token("bob"))).userId, "bob");
  equal((await cases.who({})).user, "bob");
  await world.cut();
  await t.until(() => transport.state.status !== "open");
  equal((await cases.who({})).user, "bob", "after a cut");
  await transport.authenticate(await world.token("ann")).then(
    () => ok(false, "another user's token is refused"),
    () => undefined,
  );
  const closed = await t.until(() => transport.state.status === "closed" && transport.state);
  equal(closed.closeCode, 4503);
});

test("a change of user and a sign out end the calls of the former user, and no others", async (t) => {
  const world = await t.world();
  const { transport, cases } = t.client(world, { token: await world.token("ann") });
  const anybodys = cases.add({});
  const anns = fails(cases.membersWait({}), Code.Unauthenticated);
  await t.until(async () => (await world.see()).counts.begun === 2);
  await transport.changeUser(await world.token("bob"));
  await anns;
  const bobs = fails(cases.membersWait({}), Code.Unauthenticated);
  await t.until(async () => (await world.see()).counts.begun === 3);
  await transport.signOut();
  await bobs;
  equal([(await cases.who({})).user, transport.identity.userId], [undefined, undefined]);
  await world.gate(true);
  await anybodys;
});

test("after a sign out nothing is shown nor asked for until the program authenticates", async (t) => {
  const world = await t.world();
  const token = await world.token("ann");
  let asked = 0;
  const { transport, cases } = t.client(world, {
    token: () => {
      asked += 1;
      return token;
    },
  });
  equal((await cases.who({})).user, "ann");
  const before = asked;
  await transport.signOut();
  await world.cut();
  await t.until(() => transport.state.status !== "open");
  equal((await cases.who({})).user, undefined);
  equal(asked, before, "how often the function was asked");
  await transport.authenticate(token);
  equal((await cases.who({})).user, "ann");
});

test("every connection asks the function for a fresh token", async (t) => {
  const world = await t.world();
  const tokens: string[] = [];
  const { transport, cases } = t.client(world, {
    token: async () => {
      const token = await world.token("ann", 1_000 + tokens.length);
      tokens.push(token);
      return token;
    },
  });
  for (let round = 1; round <= 3; round += 1) {
    equal((await cases.who({})).user, "ann");
    ok(tokens.length >= round, "asked for each connection");
    await world.cut();
    await t.until(() => transport.state.status !== "open");
  }
  equal(new Set(tokens).size, tokens.length, "tokens");
});

test("a warning is answered with a fresh token, and calls and streams go on", async (t) => {
  // Warned of long before the end: a slow machine has time for a fresh one.
  const world = await t.world({ expiryWarning: 18_500 });
  let asked = 0;
  const { transport, cases } = t.client(world, {
    token: () => {
      asked += 1;
      return world.token("ann", 20);
    },
  });
  const stream = cases.numbers({ count: 1n, waits: true })[Symbol.asyncIterator]();
  await stream.next();
  const waiting = cases.membersWait({});
  const first = transport.identity.expiresAt?.getTime() ?? 0;
  await t.until(() => asked >= 3 && (transport.identity.expiresAt?.getTime() ?? 0) > first + 1_000);
  await world.gate(true);
  await waiting;
  equal((await world.see()).passed.connections, 1, "connections");
  equal(transport.state.status, "open");
});

test("an identity that is not refreshed ends the connection, and a fresh token comes back", async (t) => {
  const world = await t.world({ expiryWarning: 500, expiryGrace: 200 });
  let fresh = false;
  const errors: unknown[] = [];
  // On a busy machine a token may have ended before it was shown: then the next one lives longer.
  const come = async (seconds: number) => {
    let isIn = () => false;
    const { transport, cases } = t.client(world, {
      token: async () => {
        if (fresh) return world.token("ann");
        if (isIn()) throw new Error("the login service is away");
        return world.token("ann", seconds);
      },
    });
    isIn = () => transport.state.status === "open";
    transport.on("error", (error) => errors.push(error));
    const seen = states(transport);
    try {
      await transport.ready();
      return { cases, seen };
    } catch (error) {
      equal(ConnectError.from(error).code, Code.Unauthenticated, "why it is not let in");
      return undefined;
    }
  };
  let seconds = 1;
  const { cases, seen } = await t.until(() => {
    seconds *= 2;
    return come(seconds);
  });
  equal((await cases.who({})).user, "ann");
  const lost = await t.until(() => seen.find((_, index) => seen[index - 1]?.status === "open"));
  ok(lost.status === "waiting", "it comes back");
  equal(lost.closeCode, 4401);
  fresh = true;
  equal((await cases.membersOnly({})).user, "ann");
  ok(errors.length > 0, "the program is told that there was no token");
});

test("a function that fails is asked again, and calls wait", async (t) => {
  const world = await t.world();
  const errors: unknown[] = [];
  let asked = 0;
  const { transport, cases } = t.client(world, {
    token: async () => {
      asked += 1;
      if (asked < 4) throw new Error(`no token yet: ${asked}`);
      return world.token("ann");
    },
  });
  transport.on("error", (error) => errors.push(error));
  equal((await cases.who({})).user, "ann");
  equal(asked, 4);
  ok(
    errors.some((error) => String(error).includes("no token yet")),
    "the program is told",
  );
});

test("a client that has to authenticate and does not ends with 4505", async (t) => {
  const world = await t.world({ requiresAuthentication: true, authenticationTime: 3_000 });
  const { transport, cases } = t.client(world);
  await transport.ready();
  equal(transport.identity.authenticationRequired, true);
  await fails(cases.echo({}), Code.Unauthenticated);
  const closed = await t.until(() => transport.state.status === "closed" && transport.state);
  equal(closed.closeCode, 4505);
});

test("a connection that is lost under an authentication leaves it to the next", async (t) => {
  const server = await t.byHand();
  const { transport } = t.client(server);
  const first = await server.greeted();
  await transport.ready();
  const becoming = transport.authenticate("a token");
  const outcome = becoming.then(
    () => "known",
    () => "failed",
  );
  await first.frameOf("authenticate");
  first.drop();
  const second = await server.connection();
  const said = new Queue<string>();
  void outcome.then((word) => said.push(word));
  // Either the promise has failed, or the token is shown on the next connection; it never hangs.
  second.greet();
  const shown = second.frameOf("authenticate").then((authenticate) => {
    second.send({ kind: { case: "identity", value: { requestId: authenticate.value.requestId, userId: "ann" } } });
  });
  ok(["known", "failed"].includes(await said.next()), "it has an outcome");
  shown.catch(() => {});
});
