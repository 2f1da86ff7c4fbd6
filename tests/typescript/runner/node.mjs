// Runs the cases in this Node, whose WebSocket is the one of the package `ws`.

import { WebSocket } from "ws";

export async function runInNode({ script, server, filter, report }) {
  const { runCases } = await import(script);
  let heard = () => {};
  const listener = (error) => heard(error);
  process.on("uncaughtException", listener);
  process.on("unhandledRejection", listener);
  await runCases({
    platform: "node",
    ...server,
    webSocket: WebSocket,
    filter,
    report,
    onUncaught: (callback) => {
      heard = callback;
    },
  });
  process.off("uncaughtException", listener);
  process.off("unhandledRejection", listener);
}
