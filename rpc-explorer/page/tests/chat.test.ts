// The methods of chat called through their forms on the real server, and its channels: subscribed, published to, looked into.

import assert from "node:assert/strict";
import { after } from "node:test";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Network } from "../../../tests/pages/network.js";
import { becomes, close, test } from "../../../tests/pages/window.js";
import { ListNamespacesResponseSchema } from "../src/gen/rpc/reflection/v1/reflection_pb.js";
import { Explorer } from "./support/explorer.js";
import { chat } from "./support/servers.js";

after(close);

const CHAT = "#/chat.ChatService/";
const KEY = "0123456789abcdef";

const channel = (pattern: string) => `#/channel/${encodeURIComponent(pattern)}`;

/** A window of somebody who has registered by the form, and looks at something with the token of that. */
async function somebody(server: { readonly url: string }, name: string, at: string): Promise<Explorer> {
  const explorer = await Explorer.open(server.url, "#/auth.AuthService/Register?at=%2Fauth");
  await explorer.fill({ name, password: "a long password" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  await explorer.page.getByRole("button", { name: "Log in with this token" }).click();
  // The endpoint that gives tokens does not take them.
  await explorer.answer.getByText("You are logged in at /rpc.").waitFor();
  await explorer.go(at);
  await explorer.page.getByRole("banner").getByText(name).waitFor();
  return explorer;
}

test("what_an_endpoint_for_users_serves_is_shown_to_who_logs_in_there", async () => {
  await using server = await chat();
  await using explorer = await Explorer.open(server.url, `${CHAT}ListRooms`);
  await explorer.shows("This endpoint wants to know who you are");
  // A token of somebody else's window, as one is pasted.
  await using other = await somebody(server, "ann", `${CHAT}ListRooms`);
  await other.shows("ListRooms");
  const token = await other.page.evaluate(() => sessionStorage.getItem("explorer /explorer/ ../rpc"));
  await explorer.logIn(token ?? "");
  await explorer.shows("ListRooms");
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  const rooms = (await explorer.received())[0]?.["rooms"] as { name: string }[];
  assert.ok(rooms.some(({ name }) => name === "kitchen"));
});

test("the_methods_of_a_room_are_called_and_refused_as_the_server_has_it", async () => {
  await using server = await chat();
  await using explorer = await somebody(server, "bob", `${CHAT}Say`);
  await explorer.shows("Say");
  await explorer.fill({ room: "kitchen", text: "Hello", key: KEY });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");

  await explorer.go(`${CHAT}Write`);
  await explorer.shows("Write");
  await explorer.fill({ to: "bob", text: "To myself", key: KEY });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");

  await explorer.go(`${CHAT}Kick`);
  await explorer.shows("Kick");
  await explorer.fill({ room: "kitchen", user: "ann" });
  await explorer.press("Call");
  await explorer.outcomeIs("PERMISSION_DENIED");

  // Those of the framework are called as the program's own.
  await explorer.go("#/rpc.hub.v1.HubService/Presence");
  await explorer.shows("Presence");
  await explorer.fill({ channel: "room:kitchen" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  assert.equal((await explorer.received())[0]?.["clients"], "0");
});

test("an_administrator_who_logs_in_by_the_form_puts_somebody_out", async () => {
  await using server = await chat();
  await using _guest = await somebody(server, "bob", `${CHAT}Say`);
  await using explorer = await somebody(server, "ann", `${CHAT}Kick`);
  server.run("promote", "ann", "--database", `${server.folder}/chat.db`);
  await explorer.page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await explorer.go("#/auth.AuthService/Login?at=%2Fauth");
  await explorer.shows("Login");
  await explorer.fill({ name: "ann", password: "a long password" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
  await explorer.page.getByRole("button", { name: "Log in with this token" }).click();
  await explorer.answer.getByText("You are logged in at /rpc.").waitFor();
  await explorer.go(`${CHAT}Kick`);
  await explorer.shows("Kick");
  await explorer.fill({ room: "kitchen", user: "bob" });
  await explorer.press("Call");
  await explorer.outcomeIs("OK");
});

test("a_channel_is_subscribed_to_and_its_events_are_shown_by_their_schemas", async () => {
  await using server = await chat();
  await using explorer = await somebody(server, "cleo", channel("room:{room}"));
  const { page } = explorer;
  const { events } = explorer;
  // What is in braces is to be filled in.
  await page.getByRole("button", { name: "Subscribe" }).click();
  await page.getByText("Write a value in the place of {room}.").waitFor();
  await explorer.subscribe("room:kitchen");
  // Who subscribes is told of first, by an event of the framework's own.
  await events
    .getByText(/"user":|"userId":/)
    .first()
    .waitFor();

  await using other = await somebody(server, "dora", `${CHAT}Say`);
  await other.fill({ room: "kitchen", text: "Is <b>anybody</b> there?", key: KEY });
  await other.press("Call");
  await other.outcomeIs("OK");
  const said = events.locator("li", { hasText: "Is <b>anybody</b> there?" });
  await said.waitFor();
  await becomes(() => said.locator(".event-type").innerText(), "Said");
  await becomes(() => said.locator("summary").innerText(), /by dora/);
  await said.locator("summary").click();
  await becomes(async () => JSON.parse(await said.locator(".json").innerText()), { text: "Is <b>anybody</b> there?" });

  await page.getByRole("button", { name: "Who is there" }).click();
  await page.getByRole("heading", { name: /In room:kitchen: 1 user/ }).waitFor();
  await page.getByRole("button", { name: "What was before" }).click();
  await page.getByRole("heading", { name: /The latest \d+ events of room:kitchen/ }).waitFor();

  await page.getByRole("button", { name: "Unsubscribe" }).click();
  await page.getByText("Unsubscribed from room:kitchen.").waitFor();
  // Once somebody else has heard it, it has passed.
  await other.go(channel("room:{room}"));
  await other.subscribe("room:kitchen");
  await other.go(`${CHAT}Say`);
  await other.shows("Say");
  await other.fill({ text: "Nobody, then.", key: `${KEY}2` });
  await other.press("Call");
  await other.outcomeIs("OK");
  await other.go(channel("room:{room}"));
  const heard = /Nobody, then\./;
  await other.events.getByText(heard).waitFor();
  // What is asked now is answered behind all that was sent before.
  await page.getByRole("button", { name: "What was before" }).click();
  await page.locator(".extra").getByText(heard).waitFor();
  await explorer.drawn();
  assert.equal(await events.getByText(heard).count(), 0);
});

test("events_that_the_namespace_does_not_announce_are_shown_by_their_schemas_or_else_by_their_bytes", async () => {
  await using server = await chat();
  await using explorer = await somebody(server, "gus", channel("room:{room}"));
  let type = "";
  await explorer.between(({ kind }) => {
    if (kind.case === "event" && kind.value.type === "chat.Said") kind.value.type = type;
  });
  await explorer.subscribe("room:kitchen");
  await using other = await somebody(server, "hal", `${CHAT}Say`);
  const { events } = explorer;
  const says = async (text: string, key: string) => {
    await other.fill({ room: "kitchen", text, key });
    await other.press("Call");
    await other.outcomeIs("OK");
  };

  // One that the server has elsewhere, whose first field is a text too.
  type = "chat.Card";
  await says("Making tea", KEY);
  await events.locator("li", { hasText: "Card" }).getByText('{"doing":"Making tea"}').waitFor();

  type = "other.Thing";
  await says("Hello", `${KEY}2`);
  const thing = events.locator("li", { hasText: "Thing" });
  await thing.getByText("7 B", { exact: true }).waitFor();
  await thing.locator("summary").click();
  await becomes(() => thing.locator(".bytes").innerText(), /^0000 {2}0a 05 48 65 6c 6c 6f .*Hello/);
});

test("over_a_lost_connection_events_of_a_history_are_recovered_and_others_are_said_to_be_missing", async () => {
  await using server = await chat();
  await using network = await Network.to(server.port);
  await using explorer = await somebody(network, "ina", channel("room:{room}"));
  await explorer.subscribe("room:kitchen");
  await using other = await somebody(server, "jon", `${CHAT}Say`);
  const says = async (text: string, key: string) => {
    await other.fill({ room: "kitchen", text, key });
    await other.press("Call");
    await other.outcomeIs("OK");
  };
  network.cut();
  await explorer.page.getByText(/^The connection is away\. What is missed of room:kitchen/).waitFor();
  await says("While you were away", KEY);
  network.restore();
  await explorer.connectsAgain();
  const missed = explorer.events.locator("li", { hasText: "While you were away" });
  await missed.getByText(/^recovered · by jon · #\d+ · /).waitFor();
  await explorer.page.getByText("Subscribed to room:kitchen.").waitFor();
  assert.equal(await missed.count(), 1);

  await explorer.page.getByRole("button", { name: "Unsubscribe" }).click();
  await explorer.page.getByText("Unsubscribed from room:kitchen.").waitFor();
  await explorer.go(channel("typing:{room}"));
  await explorer.shows("typing:{room}");
  await explorer.subscribe("typing:kitchen");
  network.cut();
  await explorer.page.getByText(/^The connection is away/).waitFor();
  network.restore();
  await explorer.connectsAgain();
  await explorer.events.getByText("Events are missing here, and cannot be had any more (no-history).").waitFor();
});

test("where_any_event_may_be_published_it_is_the_one_that_is_named_when_one_publishes", async () => {
  await using server = await chat();
  await using explorer = await somebody(server, "kim", channel("typing:{room}"));
  await explorer.between(({ kind }) => {
    if (kind.case !== "response" || !Buffer.from(kind.value.body).includes("typing:{room}")) return undefined;
    const told = fromBinary(ListNamespacesResponseSchema, kind.value.body);
    for (const namespace of told.namespaces) namespace.anyEvent = true;
    kind.value.body = toBinary(ListNamespacesResponseSchema, told);
    return undefined;
  });
  await explorer.subscribe("typing:kitchen");
  const form = explorer.page.getByRole("form", { name: "Publish" });
  const name = form.getByRole("combobox", { name: "Event" });
  await becomes(() => name.inputValue(), "chat.Typing");
  // Without leaving the field: the form of the event before is there still.
  await name.fill("chat.Card");
  await name.press("Enter");
  // The server knows better than what it was made to tell here: but what it refuses is what was named.
  await form.getByText(/^Not published: .*chat\.Card/).waitFor();
  await name.fill("no.Such");
  await name.press("Enter");
  await form.getByText(/^The server has no schema of no\.Such: /).waitFor();
});

test("an_event_is_published_by_its_form_and_heard", async () => {
  await using server = await chat();
  await using explorer = await somebody(server, "emil", channel("typing:{room}"));
  const { page } = explorer;
  await explorer.subscribe("typing:kitchen");
  await page.getByRole("form", { name: "Publish" }).getByRole("button", { name: "Publish" }).click();
  await page.getByText(/^Published/).waitFor();
  await explorer.events
    .locator("li", { hasText: "Typing" })
    .getByText(/by emil/)
    .waitFor();
});

test("what_one_may_not_hear_or_publish_is_refused_in_the_servers_words", async () => {
  await using server = await chat();
  await using explorer = await somebody(server, "frida", channel("inbox:{user}"));
  const { page } = explorer;
  await page.getByRole("textbox", { name: "Channel" }).fill("inbox:bob");
  await page.getByRole("button", { name: "Subscribe" }).click();
  await page.getByText(/The subscription has ended: .*PERMISSION_DENIED/).waitFor();
  await page.getByRole("button", { name: "Subscribe" }).waitFor();
  await page.getByRole("form", { name: "Publish" }).getByRole("button", { name: "Publish" }).click();
  await page.getByText(/Not published: .*PERMISSION_DENIED/).waitFor();
  await page.getByRole("banner").getByText("frida").waitFor();
});
