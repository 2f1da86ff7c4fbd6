// The formats of texts that rules name, and times within rules, in words. What looks right here can still be refused by the server,
// which judges by the specifications. No DOM.

/** A format. */
export interface Format {
  readonly words: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** What each text of the format looks like. */
  readonly looks?: RegExp;
}

const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const HOSTNAME = `(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*\\.?`;
const IPV4 = "(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.(?!$)|$)){4}";
const IPV6 = "(?=.*:.*:)[0-9A-Fa-f:]+(?:[\\d.]+)?(?:%.+)?";

/** The formats, by the names that they have in the rules of a text. */
export const FORMATS: Readonly<Record<string, Format>> = {
  email: {
    words: "an email address",
    attributes: { inputmode: "email", autocomplete: "off" },
    looks: new RegExp(`^[A-Za-z0-9.!#$%&'*+/=?^_\`{|}~-]+@${LABEL}(?:\\.${LABEL})*$`),
  },
  uuid: { words: "a UUID", looks: /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i },
  tuuid: { words: "a UUID without dashes", looks: /^[\da-f]{32}$/i },
  uri: { words: "a URI", attributes: { inputmode: "url" }, looks: /^[A-Za-z][A-Za-z0-9+.-]*:\S*$/ },
  uri_ref: { words: "a URI, or a part of one", attributes: { inputmode: "url" }, looks: /^\S*$/ },
  hostname: { words: "a host name", attributes: { inputmode: "url" }, looks: new RegExp(`^${HOSTNAME}$`) },
  ip: { words: "an IP address", looks: new RegExp(`^(?:${IPV4}|${IPV6})$`) },
  ipv4: { words: "an IPv4 address", looks: new RegExp(`^${IPV4}$`) },
  ipv6: { words: "an IPv6 address", looks: new RegExp(`^${IPV6}$`) },
  address: { words: "a host name or an IP address" },
  host_and_port: { words: "a host and a port" },
  ip_with_prefixlen: { words: "an IP address with the length of a prefix" },
  ipv4_with_prefixlen: { words: "an IPv4 address with the length of a prefix" },
  ipv6_with_prefixlen: { words: "an IPv6 address with the length of a prefix" },
  ip_prefix: { words: "an IP prefix" },
  ipv4_prefix: { words: "an IPv4 prefix" },
  ipv6_prefix: { words: "an IPv6 prefix" },
};

/** Whether a text looks like it. */
export function hasFormat(format: Format, text: string): boolean {
  return format.looks?.test(text) !== false;
}

/** A length of time, such as "1.5 seconds". */
export function durationInWords(seconds: bigint, nanos: number): string {
  const part = Math.abs(nanos).toString().padStart(9, "0").replace(/0+$/, "");
  const minus = seconds < 0n || nanos < 0 ? "-" : "";
  const whole = seconds < 0n ? -seconds : seconds;
  return `${minus}${whole}${part === "" ? "" : `.${part}`} ${whole === 1n && part === "" ? "second" : "seconds"}`;
}

/** A moment, in UTC. */
export function momentInWords(seconds: bigint, nanos: number): string {
  const moment = new Date(Number(seconds) * 1000 + Math.floor(nanos / 1_000_000));
  return Number.isNaN(moment.getTime()) ? `second ${seconds}` : moment.toISOString().replace(".000Z", "Z");
}
