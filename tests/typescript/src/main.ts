// What the runners load: the cases, and what runs them.

import "../cases/calls.js";
import "../cases/connecting.js";
import "../cases/hostile.js";
import "../cases/hub.js";
import "../cases/hub-publishing.js";
import "../cases/hub-recovering.js";
import "../cases/identity.js";
import "../cases/reconnecting.js";
import "../cases/resuming.js";
import "../cases/streams.js";

export { runCases } from "./harness.js";
export { ask } from "./world.js";
