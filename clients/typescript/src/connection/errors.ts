// Statuses, metadata and closes as Connect's errors and headers.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Metadata, MetadataSchema, Status } from "../gen/rpc/v1/frame_pb.js";
import { CloseCode, closeText } from "../protocol/close.js";

/** A status that is not OK, with what came along. */
export function statusError(status: Status, ...metadata: Metadata[][]): ConnectError {
  const code = status.code >= Code.Canceled && status.code <= Code.Unauthenticated ? status.code : Code.Unknown;
  const error = new ConnectError(status.message, code, toHeaders(metadata.flat()));
  error.details = status.details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  return error;
}

/** Why there is no connection. */
export function closeError(code: number, reason: string, more = "", status = Code.Unavailable): ConnectError {
  return new ConnectError(closeText(code, reason) + more, status);
}

/** What a close for good means for calls that are made afterwards. */
export function closeStatus(code: number): Code {
  if ([4401, 4500, 4503, 4505].includes(code)) return Code.Unauthenticated;
  if (code === 1008) return Code.PermissionDenied;
  if (code === 1009) return Code.ResourceExhausted;
  if (code === 4504) return Code.Unimplemented;
  return code === CloseCode.frameInvalid || code === CloseCode.protocolViolated ? Code.Internal : Code.Unavailable;
}

/**
 * Metadata as headers: binary values in base64, as Connect has them. A text that headers cannot hold, because it is not of Latin-1 or has line
 * breaks, is percent-encoded.
 */
export function toHeaders(metadata: readonly Metadata[]): Headers {
  const headers = new Headers();
  for (const { key, value, binary } of metadata) {
    try {
      headers.append(key, key.endsWith("-bin") ? base64Encode(binary, "std_raw") : value);
    } catch {
      // A key that is no header's name is the only other thing that headers refuse.
      if (/^[\w!#$%&'*+.^`|~-]+$/.test(key)) headers.append(key, encodeURIComponent(value));
    }
  }
  return headers;
}

/** Headers as metadata; throws INVALID_ARGUMENT where a binary value is no base64. */
export function toMetadata(headers: Headers): MessageInitShape<typeof MetadataSchema>[] {
  const metadata: MessageInitShape<typeof MetadataSchema>[] = [];
  headers.forEach((value, key) => {
    if (!key.endsWith("-bin")) {
      metadata.push({ key, value });
      return;
    }
    // Several values of one key are one text in headers.
    for (const text of value.split(",")) {
      try {
        metadata.push({ key, binary: base64Decode(text.trim()) });
      } catch {
        throw new ConnectError(`the header ${key} is not base64`, Code.InvalidArgument);
      }
    }
  });
  return metadata;
}
