// How the page is built. What comes out is committed and part of the program, so it is the same on every machine: names without
// hashes, and nothing of when or where.

import { defineConfig } from "vite";

/** Where `cargo run -p chat` serves, which `npm run dev` passes on what is not a file of the page. */
const SERVER = "http://127.0.0.1:3002";

export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    // A preload of modules would be a script of its own, and an icon in the text of a style: the policy has neither.
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
  server: {
    proxy: {
      "/rpc": { target: SERVER, ws: true },
      "/auth": { target: SERVER, ws: true },
    },
  },
});
