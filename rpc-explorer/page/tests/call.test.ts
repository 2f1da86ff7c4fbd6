// What is kept of a call.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { methodNumber } from "rpc-websocket";
import { Call } from "../src/call/call.js";
import { GetFilesRequestSchema, ReflectionService } from "../src/gen/rpc/reflection/v1/reflection_pb.js";
import type { Endpoint } from "../src/server/endpoint.js";
import type { Caller } from "../src/server/wire.js";

/** A call that has ended, in which the server has sent messages of these sizes on the wire, in bytes. */
async function answered(sizes: readonly number[]): Promise<Call> {
  let caller: Caller | undefined;
  const transport = createRouterTransport(({ service }) => {
    service(ReflectionService, {
      async *getFiles() {
        for (const size of sizes) {
          caller?.came(size);
          yield { descriptor: new Uint8Array(1) };
        }
      },
    });
  });
  const wire = {
    await: (method: bigint, told: Caller) => {
      // By which the transport calls it, whatever number the contract gives it.
      assert.equal(method, methodNumber("rpc.reflection.v1.ReflectionService/GetFiles"));
      caller = told;
      return () => {};
    },
  };
  const endpoint = { transport, wire } as unknown as Endpoint;
  const options = { header: new Headers(), timeoutMs: undefined };
  const call = new Call(ReflectionService.method.getFiles, endpoint, options, create(GetFilesRequestSchema));
  await new Promise<void>((resolve) => {
    call.onChange(() => !call.isRunning && resolve());
  });
  assert.equal(call.error, undefined);
  assert.equal(call.received, sizes.length);
  return call;
}

test("of_a_long_call_the_latest_five_hundred_messages_are_kept", async () => {
  const { passed } = await answered(Array.from({ length: 600 }, () => 1));
  assert.deepEqual([passed.length, passed[0]?.number, passed.at(-1)?.number], [500, 101, 600]);
});

test("of_large_messages_the_latest_eight_mebibytes_are_kept", async () => {
  const { passed } = await answered(Array.from({ length: 20 }, () => 1 << 20));
  assert.deepEqual([passed.length, passed.at(-1)?.number], [8, 20]);
});

test("one_message_is_kept_however_large_it_is", async () => {
  const { passed } = await answered([1, 9 << 20]);
  assert.deepEqual(
    passed.map(({ number }) => number),
    [2],
  );
});
