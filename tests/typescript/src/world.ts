// One case's own server, and the switches for what is to happen to it. The server's side is server/src/control.rs.

/** What a case wishes of its server; times in milliseconds. What is left out is as a server has it by default. */
export interface Wishes {
  port?: number;
  origins?: string[];
  requiresAuthentication?: boolean;
  resumeWindow?: number;
  expiryWarning?: number;
  expiryGrace?: number;
  authenticationTime?: number;
  pingInterval?: number;
  pongTimeout?: number;
  writeStall?: number;
  drainGrace?: number;
  streams?: number;
  streamWindow?: number;
  connectionWindow?: number;
  pendingBytes?: number;
  eventQueueBytes?: number;
  subscriptions?: number;
  compressAbove?: number;
  connectionsPerUser?: number;
}

/** How the switches are asked. */
export type Ask = (url: string, body: unknown, method: string) => Promise<unknown>;

/** What can be seen of a server. */
export interface Sight {
  counts: { begun: number; finished: number; dropped: number; given: number; read: number };
  passed: { connections: number; toClients: number; toServer: number };
  sessions: { client: string; user: string | null; state: string }[];
}

/** Whom something is published to. */
export type Whom = { channel: string } | { user: string } | { client: string } | "all";

/** What is published beside the text. */
export interface Published {
  kind?: "said" | "typing" | "strange";
  times?: number;
  key?: string;
}

/** A server of its own for one case. */
export class World {
  private constructor(
    private readonly control: string,
    private readonly id: number,
    /** Where clients connect, through what can be cut. */
    readonly url: string,
    /** The server itself. */
    readonly direct: string,
    private readonly ask: Ask,
  ) {}

  /** Makes one, at these switches. */
  static async make(control: string, wishes: Wishes, by: Ask = ask): Promise<World> {
    const origins = typeof location === "undefined" ? [] : [location.origin];
    const made = (await by(`${control}/worlds`, { origins, ...wishes }, "POST")) as {
      id: number;
      url: string;
      direct: string;
    };
    return new World(control, made.id, made.url, made.direct, by);
  }

  private act(what: string, more: object = {}): Promise<unknown> {
    return this.ask(`${this.control}/worlds/${this.id}`, { do: what, ...more }, "POST");
  }

  /** What can be seen of it now. */
  async see(): Promise<Sight> {
    return (await this.act("see")) as Sight;
  }

  /** Opens the gate at which calls wait, or shuts it. It is shut at first. */
  async gate(open: boolean): Promise<void> {
    await this.act("gate", { open });
  }

  /** Cuts all connections without a close frame. */
  async cut(): Promise<void> {
    await this.act("cut");
  }

  /** Whether connections that come are dropped at once. */
  async refuse(refuse: boolean): Promise<void> {
    await this.act("refuse", { refuse });
  }

  /** Whether nothing passes any more, though connections stay open. */
  async stall(stall: boolean): Promise<void> {
    await this.act("stall", { stall });
  }

  /** Has a new server, which knows nothing, take the place of this one; with `drain` the old one goes in order. */
  async restart(drain: boolean): Promise<void> {
    await this.act("restart", { drain });
  }

  /** Has the server close a client's connection, or all. */
  async close(code: number, reason: string, client?: string): Promise<void> {
    await this.act("close", { code, reason, client: client ?? null });
  }

  /** A token for a user, good until so many seconds from now. */
  async token(user: string, seconds = 3600): Promise<string> {
    return (await this.act("token", { user, seconds })) as string;
  }

  /** Has the server publish or send. */
  async publish(whom: Whom, text: string, more: Published = {}): Promise<void> {
    await this.act("publish", { whom, text, ...more });
  }

  /** Writes a line on the board, and publishes it in `board:main`. */
  async write(line: string): Promise<void> {
    await this.act("write", { line });
  }

  /** Has the server subscribe a client to a channel. */
  async subscribe(client: string, channel: string): Promise<void> {
    await this.act("subscribe", { client, channel });
  }

  /** Has the server end a client's subscription. */
  async kick(client: string, channel: string, reason: string): Promise<void> {
    await this.act("kick", { client, channel, reason });
  }

  /** Ends it, with all its connections. */
  async end(): Promise<void> {
    await this.ask(`${this.control}/worlds/${this.id}`, undefined, "DELETE");
  }
}

/** A server in a process of its own, which can be killed. */
export class ServerProcess {
  private constructor(
    private readonly starter: string,
    private readonly id: number,
    readonly control: string,
  ) {}

  static async start(control: string): Promise<ServerProcess> {
    const said = (await ask(`${control}/processes`, {}, "POST")) as { process: number; control: string };
    return new ServerProcess(control, said.process, said.control);
  }

  /** Kills it, which gives it no chance to say anything. */
  async kill(): Promise<void> {
    await ask(`${this.starter}/processes/${this.id}`, undefined, "DELETE");
  }
}

/** Asks the switches, and gives what they say. */
export async function ask(url: string, body: unknown, method: string): Promise<unknown> {
  const response = await fetch(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${url}: ${JSON.stringify(body)}: ${JSON.stringify(answer)}`);
  return answer;
}
