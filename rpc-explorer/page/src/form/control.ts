// What the parts of a form have in common: how they are made, read and filled.

import type { DescEnum, DescField, DescMessage, Registry, ScalarType } from "@bufbuild/protobuf";
import type { Json, Member } from "./json.js";
import type { Rules } from "./rules.js";
import type { Content } from "./scalars.js";

/** What cannot be sent as it is filled in. */
export interface Problem {
  /** The field, as rules name it: `item.labels[2]`, `by_name["a"]`; empty for the whole. */
  readonly path: string;
  /** A sentence that says what to write. */
  readonly text: string;
}

/** How many items a list or a map has at most. */
export const MAX_ITEMS = 500;

/** How deep messages lie in each other at most. */
export const MAX_DEPTH = 24;

/** Below this depth, messages that are filled in begin folded up, and none is there before it is asked for. */
export const OPEN_DEPTH = 3;

/** What a single value is. */
export type ValueType =
  | { readonly kind: "scalar"; readonly scalar: ScalarType }
  | { readonly kind: "enum"; readonly enum: DescEnum }
  | { readonly kind: "message"; readonly message: DescMessage };

/** The type of a field, or of its items or its values. */
export function valueType(field: DescField): ValueType {
  if (field.message) return { kind: "message", message: field.message };
  if (field.enum) return { kind: "enum", enum: field.enum };
  return { kind: "scalar", scalar: field.scalar };
}

/** Where a control stands. */
export interface Place {
  /** The element that names it. */
  readonly labelId: string;
  /** Elements that say more of it, separated by spaces. */
  readonly describedBy: string;
  readonly rules: Rules;
  /** How many messages it lies in. */
  readonly depth: number;
  /** Their types: a type that is among them is only opened when somebody asks for it. */
  readonly within: readonly DescMessage[];
}

/** What controls are made with: one for each form. */
export interface Making {
  readonly registry: Registry;
  /** Says that something is filled in otherwise than before. */
  changed(): void;
  /** Says something to those who do not see the page. */
  announce(text: string): void;
  control(type: ValueType, place: Place): Control;
}

/** What is gathered while a form is read. */
export interface Reading {
  readonly problems: Problem[];
  /** Whether problems are shown at their fields. */
  readonly show: boolean;
}

/** What is gathered while a form is filled. */
export interface Filling {
  /** What is wrong with a value of the JSON. */
  say(json: Json, path: string, text: string): void;
  /** What is wrong with something else of it: where it begins. */
  sayAt(at: number, path: string, text: string): void;
}

/** Where a single value is filled in. */
export interface Control {
  readonly element: HTMLElement;
  /** What a label names; nothing where the control is a group of others. */
  readonly input: HTMLElement | undefined;
  read(path: string, reading: Reading): Content;
  fill(json: Json, path: string, filling: Filling): void;
  clear(): void;
}

/** A field of a message, or a oneof. */
export interface Part {
  readonly element: HTMLElement;
  readonly fields: readonly DescField[];
  /** What is set of it, by the names of its fields in JSON. */
  read(path: string, reading: Reading): readonly Member[];
  /** Fills one of its fields. */
  fill(field: DescField, json: Json, path: string, filling: Filling): void;
  /** Nothing is set afterwards. */
  clear(): void;
}

/** The path of a field in the message of another path. */
export function inside(path: string, field: DescField): string {
  return path === "" ? field.name : `${path}.${field.name}`;
}
