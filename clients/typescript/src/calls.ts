// Connect's calls over a connection.

import {
  type BinaryReadOptions,
  type BinaryWriteOptions,
  create,
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextValues,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type Transport,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { createClientMethodSerializers, runStreamingCall, runUnaryCall } from "@connectrpc/connect/protocol";
import type { Connection } from "./connection/connection.js";
import { toHeaders, toMetadata } from "./connection/errors.js";
import { Exchange } from "./connection/exchange.js";
import { markAsUncertain } from "./errors.js";
import { methodNumber } from "./protocol/method.js";

/** What goes for the calls of one transport. */
export interface CallDefaults {
  readonly interceptors?: readonly Interceptor[] | undefined;
  readonly defaultTimeoutMs?: number | undefined;
  readonly binaryOptions?: Partial<BinaryReadOptions & BinaryWriteOptions> | undefined;
}

type Method<I extends DescMessage, O extends DescMessage> = DescMethodUnary<I, O> | DescMethodStreaming<I, O>;

const EMPTY = new Uint8Array();

/** In milliseconds: 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

const numbers = new WeakMap<object, bigint>();

function numberOf(method: Method<DescMessage, DescMessage>): bigint {
  let number = numbers.get(method);
  if (number === undefined) {
    number = methodNumber(`${method.parent.typeName}/${method.name}`);
    numbers.set(method, number);
  }
  return number;
}

/** Connect's `Transport` over a connection. */
export class Calls implements Transport {
  readonly #running = new Set<Exchange>();
  #closed: ConnectError | undefined;

  constructor(
    readonly connection: Connection,
    readonly defaults: CallDefaults,
  ) {}

  /** Gives all calls up, also those that are made later. */
  close(reason: ConnectError): void {
    this.#closed = reason;
    // Each has an error of its own: of some it is true that they may have run.
    for (const exchange of this.#running) exchange.cancel(new ConnectError(reason.rawMessage, reason.code));
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: MessageInitShape<I>,
    contextValues?: ContextValues,
  ): Promise<UnaryResponse<I, O>> {
    const timeout = this.#timeout(timeoutMs);
    const { serialize, parse } = createClientMethodSerializers(method, true, undefined, this.defaults.binaryOptions);
    let exchange: Exchange | undefined;
    return runUnaryCall<I, O>({
      ...this.#common(signal, timeout),
      req: {
        stream: false,
        message: create(method.input, input) as MessageShape<I>,
        ...this.#request(method, header, contextValues),
      },
      next: async (request: UnaryRequest<I, O>) => {
        exchange = this.#begin(method, request, timeout, serialize(request.message));
        const body = await exchange.next();
        if (!body) throw new ConnectError("the server has sent no response", Code.Internal);
        const common = {
          service: method.parent,
          method,
          header: toHeaders(exchange.header),
          trailer: toHeaders(exchange.trailers),
        };
        return { ...common, stream: false, message: parsed(parse, body) };
      },
    }).catch((error) => rethrow(error, exchange));
  }

  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: AsyncIterable<MessageInitShape<I>>,
    contextValues?: ContextValues,
  ): Promise<StreamResponse<I, O>> {
    const timeout = this.#timeout(timeoutMs);
    const { serialize, parse } = createClientMethodSerializers(method, true, undefined, this.defaults.binaryOptions);
    let exchange: Exchange | undefined;
    const responses = runStreamingCall<I, O>({
      ...this.#common(signal, timeout),
      req: {
        stream: true,
        message: input as AsyncIterable<MessageShape<I>>,
        ...this.#request(method, header, contextValues),
      },
      next: async (request: StreamRequest<I, O>) => {
        const messages = request.message[Symbol.asyncIterator]();
        let first: Uint8Array | undefined;
        if (method.methodKind === "server_streaming") {
          const { value, done } = await messages.next();
          if (done) throw new ConnectError("the request is missing", Code.Unimplemented);
          first = serialize(value);
        }
        const begun = this.#begin(method, request, timeout, first);
        exchange = begun;
        if (!first) void pump(begun, messages, serialize);
        await begun.opened();
        const trailer = new Headers();
        return {
          stream: true,
          service: method.parent,
          method,
          header: toHeaders(begun.header),
          message: reading(begun, parse, trailer),
          trailer,
        };
      },
    });
    const fail = (error: unknown) => rethrow(error, exchange);
    return responses.then((response) => {
      const messages = response.message[Symbol.asyncIterator]();
      const message = { [Symbol.asyncIterator]: () => ({ next: () => messages.next().catch(fail) }) };
      return { ...response, message };
    }, fail);
  }

  #timeout(timeoutMs: number | undefined): number | undefined {
    const timeout = timeoutMs ?? this.defaults.defaultTimeoutMs;
    // Connect has 0 and less for no timeout at all, and a timer of JavaScript that is longer is over at once.
    return timeout === undefined || timeout <= 0 ? undefined : Math.min(timeout, LONGEST_TIMER);
  }

  #common(signal: AbortSignal | undefined, timeoutMs: number | undefined) {
    const { interceptors } = this.defaults;
    return {
      ...(signal ? { signal } : {}),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(interceptors ? { interceptors: interceptors.map(rejecting) } : {}),
    };
  }

  #request<M extends Method<DescMessage, DescMessage>>(
    method: M,
    header: HeadersInit | undefined,
    contextValues: ContextValues | undefined,
  ) {
    return {
      service: method.parent,
      method,
      requestMethod: "POST",
      url: `${this.connection.url.replace(/\/?(\?.*)?$/, "")}/${method.parent.typeName}/${method.name}`,
      header: new Headers(header),
      contextValues: contextValues ?? createContextValues(),
    };
  }

  /** Begins a call. Without a body a stream of messages follows. */
  #begin(
    method: Method<DescMessage, DescMessage>,
    request: { readonly header: Headers; readonly signal: AbortSignal },
    timeoutMs: number | undefined,
    body: Uint8Array | undefined,
  ): Exchange {
    const { calls, world } = this.connection;
    const { now } = world;
    const deadline = timeoutMs === undefined ? undefined : now() + timeoutMs;
    const exchange = new Exchange(
      calls,
      {
        method: numberOf(method),
        metadata: toMetadata(request.header),
        body: body ?? EMPTY,
        open: body === undefined,
        timeoutUs: () => (deadline === undefined ? 0n : BigInt(Math.max(1, Math.round((deadline - now()) * 1_000)))),
      },
      {
        responses: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
        idempotent: method.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN,
      },
    );
    const { signal } = request;
    // Connect aborts it when the call is over as well, which then cancels nothing.
    const onAbort = () => {
      this.#running.delete(exchange);
      exchange.cancel(signal.reason);
    };
    if (signal.aborted || this.#closed) {
      exchange.cancel(this.#closed ?? signal.reason);
    } else {
      this.#running.add(exchange);
      signal.addEventListener("abort", onAbort, { once: true });
      calls.start(exchange);
    }
    return exchange;
  }
}

/** An interceptor that rejects where another one throws at once, for which Connect does not clean up. */
function rejecting(interceptor: Interceptor): Interceptor {
  return (next) => {
    const intercepted = interceptor(next);
    return async (request) => intercepted(request);
  };
}

/** Sends what a program gives, one message at a time as it leaves, until the call takes no more. */
async function pump<T>(
  exchange: Exchange,
  messages: AsyncIterator<T>,
  serialize: (message: T) => Uint8Array,
): Promise<void> {
  try {
    for (;;) {
      const item = await exchange.orShut(messages.next());
      if (item?.done) {
        exchange.finish();
        return;
      }
      if (!item || !(await exchange.send(serialize(item.value)))) break;
    }
  } catch (error) {
    exchange.cancel(error);
  }
  // Nobody waits for the program's end of it: a generator comes to it with its next value only.
  messages.return?.().catch(() => {});
}

/** The messages of a stream. What has come already costs no more than a promise; a generator would make several. */
function reading<T>(exchange: Exchange, parse: (body: Uint8Array) => T, trailer: Headers): AsyncIterable<T> {
  const wait = async (): Promise<IteratorResult<T>> => {
    const body = await exchange.next();
    if (body) return { done: false, value: parsed(parse, body) };
    // They are told once, however often the end is asked for.
    const { trailers } = exchange;
    exchange.trailers = [];
    toHeaders(trailers).forEach((value, key) => void trailer.append(key, value));
    return { done: true, value: undefined };
  };
  const next = (): Promise<IteratorResult<T>> => {
    try {
      const body = exchange.take();
      return body ? Promise.resolve({ done: false, value: parsed(parse, body) }) : wait();
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/** Connect makes an error of its own of what a signal was aborted with: it says of the call what the call's own does. */
function rethrow(error: unknown, exchange: Exchange | undefined): never {
  throw exchange ? exchange.marked(error) : error;
}

/** A message of the server's, which it says is one. */
function parsed<T>(parse: (body: Uint8Array) => T, body: Uint8Array): T {
  try {
    return parse(body);
  } catch (error) {
    const { rawMessage } = ConnectError.from(error);
    throw markAsUncertain(new ConnectError(`the response does not decode: ${rawMessage}`, Code.Internal));
  }
}
