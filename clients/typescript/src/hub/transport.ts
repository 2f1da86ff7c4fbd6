// The hub as one transport has it: its calls go through that transport's interceptors, and its subscriptions end with it.

import { type DescMessage, fromBinary, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Client, type ConnectError, createClient, type Transport } from "@connectrpc/connect";
import type { Connection } from "../connection/connection.js";
import { Emitter } from "../emitter.js";
import { type ChannelMember, HubService } from "../gen/rpc/hub/v1/hub_pb.js";
import { HubCore } from "./core.js";
import type { EventAmong, SkippedEvent } from "./event.js";
import type {
  HistoryOptions,
  HistoryPage,
  Hub,
  HubCallOptions,
  HubEvents,
  Member,
  Presence,
  PresenceOptions,
  PublishOptions,
  Receipt,
} from "./hub.js";
import { EventQueue } from "./queue.js";
import { type Raw, read, skipped } from "./raw.js";
import type { EventStream, ServerSubscription, SubscribeOptions, Subscription } from "./subscription.js";
import { positionOf, typed } from "./wire.js";

type Schemas = readonly DescMessage[];

/** What is sent to this client directly. */
class DirectEvents extends EventQueue {
  constructor(
    readonly core: HubCore,
    schemas: Schemas,
    signal: AbortSignal | undefined,
  ) {
    super("", schemas, core.capacity, signal);
    this.status = "live";
    core.listen(this);
  }

  protected override async leave(): Promise<void> {
    this.core.deafen(this);
  }
}

/** The hub of one transport. */
export class TransportHub implements Hub {
  readonly #core: HubCore;
  readonly #client: Client<typeof HubService>;
  /** What ends with the transport. */
  readonly #streams = new Set<EventQueue>();
  readonly #events = new Emitter<HubEvents>();
  /** Hears no more of the server's subscriptions; `undefined` while no callback is there. */
  #unlisten: (() => void) | undefined;
  #error: ConnectError | undefined;

  constructor(connection: Connection, transport: Transport) {
    this.#core = HubCore.of(connection);
    this.#client = createClient(HubService, transport);
  }

  get unheard(): number {
    return this.#core.unheard;
  }

  subscribe<const S extends Schemas>(channel: string, options: SubscribeOptions<S>): Subscription<S> {
    const { events, since, presence, signal } = options;
    return this.#keep(
      this.#core.feeds.subscribe(channel, events, since, presence, signal),
    ) as unknown as Subscription<S>;
  }

  events<const S extends Schemas>({ events, signal }: { events: S; signal?: AbortSignal }): EventStream<S> {
    return this.#keep(new DirectEvents(this.#core, events, signal)) as unknown as EventStream<S>;
  }

  #keep<Q extends EventQueue>(queue: Q): Q {
    if (this.#error) {
      queue.close(this.#error);
    } else if (!queue.hasEnded) {
      this.#streams.add(queue);
      queue.on("end", () => this.#streams.delete(queue));
    }
    return queue;
  }

  /** The transport is closed. */
  close(error: ConnectError): void {
    this.#error = error;
    this.#unlisten?.();
    for (const queue of [...this.#streams]) queue.close(error);
  }

  async publish<Schema extends DescMessage>(
    channel: string,
    schema: Schema,
    message: MessageInitShape<Schema>,
    options: PublishOptions = {},
  ): Promise<Receipt> {
    const { key = "", exceptSelf = false } = options;
    const event = typed({ schema, message });
    const answer = await this.#client.publish({ channel, event, key, exceptSelf }, callOptions(options));
    const { id, reached, duplicate } = answer;
    const position = positionOf(answer.position);
    // A subscription does not wait for what is not for it.
    if (exceptSelf && position && !duplicate) this.#core.feeds.skip(channel, position);
    return { id, position, reached: reached === undefined ? undefined : Number(reached), duplicate };
  }

  async sendToUsers<Schema extends DescMessage>(
    users: readonly string[],
    schema: Schema,
    message: MessageInitShape<Schema>,
    options: HubCallOptions & { exceptSelf?: boolean | undefined } = {},
  ): Promise<string> {
    const { exceptSelf = false } = options;
    const event = typed({ schema, message });
    return (await this.#client.sendToUsers({ users: [...users], event, exceptSelf }, callOptions(options))).id;
  }

  async sendToClients<Schema extends DescMessage>(
    clients: readonly string[],
    schema: Schema,
    message: MessageInitShape<Schema>,
    options: HubCallOptions = {},
  ): Promise<string> {
    return (
      await this.#client.sendToClients(
        { clients: [...clients], event: typed({ schema, message }) },
        callOptions(options),
      )
    ).id;
  }

  async presence<Schema extends DescMessage = DescMessage>(
    channel: string,
    options: PresenceOptions<Schema> = {},
  ): Promise<Presence<Schema>> {
    const { countsOnly = false, after = "", limit = 0 } = options;
    const answer = await this.#client.presence({ channel, countsOnly, after, limit }, callOptions(options));
    const members = answer.members.map((member) => memberOf(member, options.presence));
    return { members, clients: Number(answer.clients), users: Number(answer.users), more: answer.more };
  }

  async history<const S extends Schemas>(channel: string, options: HistoryOptions<S>): Promise<HistoryPage<S>> {
    const { after, before = 0n, since, until, limit = 0, newestFirst = false } = options;
    const answer = await this.#client.history(
      {
        channel,
        before,
        limit,
        newestFirst,
        ...(after && { after }),
        ...(since && { since: timestampFromDate(since) }),
        ...(until && { until: timestampFromDate(until) }),
      },
      callOptions(options),
    );
    const position = positionOf(answer.position);
    const skippedOnes: SkippedEvent[] = [];
    const events = answer.events.flatMap((raw) => {
      const event = readAmong(raw, options.events, channel, position?.epoch);
      if (!event) skippedOnes.push(skipped(raw, channel, position?.epoch, "recovered"));
      return event ?? [];
    });
    return {
      events,
      skipped: skippedOnes,
      position,
      complete: answer.complete,
      more: answer.more,
      end: position && answer.lastOffset > 0n ? { epoch: position.epoch, offset: answer.lastOffset } : undefined,
    };
  }

  on<Name extends keyof HubEvents>(name: Name, callback: (value: HubEvents[Name]) => void): () => void {
    if (this.#error) return () => {};
    this.#unlisten ??= this.#core.events.on("subscribed", (told) => this.#tell(told));
    this.#events.on(name, callback);
    // Those of before are told when the caller has what this returns.
    queueMicrotask(() => this.#core.offer());
    return () => {
      this.#events.off(name, callback);
      if (!this.#events.isEmpty) return;
      this.#unlisten?.();
      this.#unlisten = undefined;
    };
  }

  /** What is accepted ends with this transport. */
  #tell({ channel, accept }: ServerSubscription): void {
    // Another transport's callback may just have closed this one.
    if (this.#error) return;
    this.#events.emit("subscribed", {
      channel,
      accept: (options) => {
        const accepted = accept(options);
        this.#keep(accepted as unknown as EventQueue);
        return accepted;
      },
    });
  }
}

function callOptions({ signal, timeoutMs }: HubCallOptions) {
  return { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) };
}

function memberOf<Schema extends DescMessage>(member: ChannelMember, schema: Schema | undefined): Member<Schema> {
  const { clientId, userId, since, presence } = member;
  let says: MessageShape<Schema> | undefined;
  try {
    if (schema && presence?.type === schema.typeName) says = fromBinary(schema, presence.body);
  } catch {
    // What others say of themselves need not be a message.
  }
  return { clientId, userId, since: since && timestampDate(since), presence: says };
}

function readAmong<S extends Schemas>(
  raw: Raw,
  schemas: S,
  channel: string,
  epoch: bigint | undefined,
): EventAmong<S> | undefined {
  const schema = schemas.find(({ typeName }) => typeName === raw.type);
  try {
    return schema && (read(raw, schema, channel, epoch, "recovered") as EventAmong<S>);
  } catch {
    return undefined;
  }
}
