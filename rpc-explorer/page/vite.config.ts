// How the page is built: one script and one style with stable names, so that `dist/` can be committed and compared.

import { defineConfig } from "vite";

const server = "http://127.0.0.1:3000";

export default defineConfig({
  // Whatever path the server has it under.
  base: "./",
  build: {
    target: "es2022",
    // The program embeds each file: a request more costs less than a policy that must allow inline code.
    assetsInlineLimit: 0,
    modulePreload: false,
    rollupOptions: {
      output: {
        entryFileNames: "assets/explorer.js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/explorer[extname]",
      },
    },
  },
  // `npm run dev -w explorer-page` beside `cargo run -p tasks`, whose explorer says where its endpoints are.
  server: {
    proxy: {
      "/rpc": { target: server, ws: true },
      "/auth": { target: server, ws: true },
    },
  },
});
