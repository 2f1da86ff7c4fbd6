// The schemas of a server, as its reflection gives them: those of one symbol at a time, because files of several crates may
// contradict each other.

import {
  create,
  createFileRegistry,
  type DescEnum,
  type DescMessage,
  type DescMethod,
  type DescService,
  type FileRegistry,
  fromBinary,
} from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { ReflectionService } from "../gen/rpc/reflection/v1/reflection_pb.js";

/** A descriptor, and the registry of what it goes together with. */
export interface Found<Desc> {
  readonly desc: Desc;
  readonly registry: FileRegistry;
}

/** So many names are asked for that nobody has announced. */
const MOST_GUESSED = 100;

/** How long reflection may take, in milliseconds. */
export const REFLECTION_MS = 15_000;

export class Schemas {
  readonly #client;
  readonly #asked = new Map<string, Promise<FileRegistry>>();
  readonly #guessed = new Map<string, Promise<Found<DescMessage>>>();

  constructor(transport: Transport) {
    this.#client = createClient(ReflectionService, transport);
  }

  /** All that goes together with a service, message or enum. */
  of(symbol: string): Promise<FileRegistry> {
    let asked = this.#asked.get(symbol);
    if (!asked) {
      asked = this.#ask([symbol]);
      this.#asked.set(symbol, asked);
      // What has failed is asked again.
      asked.catch(() => this.#asked.delete(symbol));
    }
    return asked;
  }

  async service(name: string): Promise<Found<DescService>> {
    const registry = await this.of(name);
    const desc = registry.getService(name);
    if (!desc) throw new Error(`the server's schemas do not declare ${name}`);
    return { desc, registry };
  }

  async method(service: string, name: string): Promise<Found<DescMethod>> {
    const { desc, registry } = await this.service(service);
    const method = desc.methods.find((method) => method.name === name);
    if (!method) throw new Error(`the schema of ${service} has no method ${name}`);
    return { desc: method, registry };
  }

  /** A message or an enum. */
  async type(name: string): Promise<Found<DescMessage | DescEnum>> {
    const registry = await this.of(name);
    const desc = registry.getMessage(name) ?? registry.getEnum(name);
    if (!desc) throw new Error(`the server's schemas do not declare ${name}`);
    return { desc, registry };
  }

  async message(name: string): Promise<Found<DescMessage>> {
    const registry = await this.of(name);
    const desc = registry.getMessage(name);
    if (!desc) throw new Error(`the server's schemas do not declare ${name}`);
    return { desc, registry };
  }

  /**
   * A message that nobody has announced. Whoever publishes makes up names: each is asked for once, and of so many names alone.
   *
   * @throws where it is not known.
   */
  guessed(name: string): Promise<Found<DescMessage>> {
    let found = this.#guessed.get(name);
    if (!found) {
      if (this.#guessed.size >= MOST_GUESSED) return Promise.reject(new Error("too many names are not known"));
      found = this.message(name);
      this.#guessed.set(name, found);
      found.catch((error) => {
        // What has failed for another reason is asked again.
        if (ConnectError.from(error).code !== Code.NotFound) this.#guessed.delete(name);
      });
    }
    return found;
  }

  async #ask(symbols: string[]): Promise<FileRegistry> {
    const file: FileDescriptorProto[] = [];
    for await (const { descriptor } of this.#client.getFiles({ symbols }, { timeoutMs: REFLECTION_MS })) {
      file.push(fromBinary(FileDescriptorProtoSchema, descriptor));
    }
    return createFileRegistry(create(FileDescriptorSetSchema, { file }));
  }
}
