// Checks requests against the rules of their contract before they are sent. Opt-in, and apart from the rest: the only file
// that knows protovalidate, which is ten times the client.

import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { createValidator, type ValidationError, type Validator, violationsToProto } from "@bufbuild/protovalidate";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

/** How requests are checked. */
export interface ValidateOptions {
  /** The validator; protovalidate's with its defaults unless one is given. */
  readonly validator?: Validator;
}

/** How many violations an error's message tells, as the server's does. The error's details have all of them. */
const SHOWN = 3;

/**
 * An interceptor that refuses a request which breaks a rule of its contract (`min_len`, `range`, `email`, …) without sending
 * it. The error is the one that the server would answer: `Code.InvalidArgument`, with `buf.validate.Violations` among its
 * details.
 *
 * ```ts
 * import { validateRequests } from "rpc-websocket/validate";
 *
 * const transport = createWebSocketTransport({ url: "/rpc", interceptors: [validateRequests()] });
 * try {
 *   await tasks.addTask({ item: { label: "" } });
 * } catch (error) {
 *   for (const { violations } of ConnectError.from(error).findDetails(ViolationsSchema)) {
 *     violations[0]?.ruleId; // "string.min_len"
 *   }
 * }
 * ```
 *
 * Needs `@bufbuild/protovalidate`, which adds about 110 kB (gzip) to a page. Messages of a stream are checked one by one as
 * they are sent; one that breaks a rule ends the call. The server checks again: whoever wants to sends what he likes.
 *
 * @throws never by itself; a rule that protovalidate cannot evaluate fails the call with `Code.Internal`.
 */
export function validateRequests(options: ValidateOptions = {}): Interceptor {
  const validator = options.validator ?? createValidator();
  return (next) => async (request) => {
    if (!request.stream) {
      check(validator, request.method.input, request.message);
      return next(request);
    }
    return next({ ...request, message: checked(validator, request.method.input, request.message) });
  };
}

async function* checked<I extends DescMessage>(
  validator: Validator,
  schema: I,
  messages: AsyncIterable<MessageShape<I>>,
): AsyncGenerator<MessageShape<I>> {
  for await (const message of messages) {
    check(validator, schema, message);
    yield message;
  }
}

function check<I extends DescMessage>(validator: Validator, schema: I, message: MessageShape<I>): void {
  const result = validator.validate(schema, message);
  if (result.kind === "invalid") {
    throw refusal(result.error);
  }
  if (result.kind === "error") {
    throw new ConnectError(
      `the rules of ${schema.typeName} cannot be checked: ${result.error.message}`,
      Code.Internal,
      undefined,
      undefined,
      result.error,
    );
  }
}

function refusal(error: ValidationError): ConnectError {
  const shown = error.violations.slice(0, SHOWN).map(String);
  const more = error.violations.length - shown.length;
  if (more > 0) {
    shown.push(`and ${more} more`);
  }
  const [value, desc] = violationsToProto(error.violations);
  return new ConnectError(shown.join("; "), Code.InvalidArgument, undefined, [{ desc, value }], error);
}
