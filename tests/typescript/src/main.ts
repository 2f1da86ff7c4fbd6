// What the runners load: the cases, and what runs them.

import "../cases/calls.js";
import "../cases/streams.js";

export { runCases } from "./harness.js";
