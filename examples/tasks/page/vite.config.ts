// How the page is built: one script and one style with stable names, so that `dist/` can be committed and compared.

import { defineConfig } from "vite";

const server = "http://127.0.0.1:3000";

export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    // The program embeds each file: a request more costs less than a policy that must allow inline code.
    assetsInlineLimit: 0,
    modulePreload: false,
    rollupOptions: {
      output: {
        entryFileNames: "assets/page.js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/page[extname]",
      },
    },
  },
  // `npm run dev -w tasks-page` beside `cargo run -p tasks -- serve --allow-origin http://localhost:5173`.
  server: {
    proxy: {
      "/rpc": { target: server, ws: true },
      "/auth": { target: server, ws: true },
    },
  },
});
