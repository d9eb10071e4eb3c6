/** Words of a NUL-separated file of /proc (cmdline, environ). A program that rewrote its title has one word with blanks. */
export function parseNulList(text: string): string[] {
  const words = text.split('\0');
  while (words.length > 0 && words.at(-1) === '') words.pop();
  return words;
}

export function parseEnviron(text: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const word of parseNulList(text)) {
    const at = word.indexOf('=');
    if (at > 0) env[word.slice(0, at)] = word.slice(at + 1);
  }
  return env;
}

/** The fields of /proc/PID/stat that berth uses. The name (field 2) may hold blanks and brackets, so fields count from its last one. */
export function parseStat(text: string): {
  state: string;
  ppid: number;
  pgid: number;
  kernelThread: boolean;
  threads: number;
  startTicks: number;
} | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, ppid, pgid] = fields;
  const startTicks = Number(fields[19]);
  if (state === undefined || !Number.isFinite(startTicks)) return null;
  const kernelThreadFlag = 0x00200000;
  return {
    state,
    ppid: Number(ppid),
    pgid: Number(pgid),
    kernelThread: (Number(fields[6]) & kernelThreadFlag) !== 0,
    threads: Number(fields[17]),
    startTicks,
  };
}

/** /proc/PID/status: owner and resident memory, in bytes (the file has KiB). */
export function parseStatus(text: string): {
  uid: number;
  rssBytes: number | null;
  rssFileBytes: number | null;
} {
  return {
    uid: Number(/^Uid:\s+(\d+)/m.exec(text)?.[1] ?? -1),
    rssBytes: kib(/^VmRSS:\s+(\d+)/m.exec(text)?.[1]),
    rssFileBytes: kib(/^RssFile:\s+(\d+)/m.exec(text)?.[1]),
  };
}

function kib(digits: string | undefined): number | null {
  return digits === undefined ? null : Number(digits) * 1024;
}

/** Listening rows (state 0A) of /proc/PID/net/tcp and tcp6. */
export function parseListening(
  text: string,
): { address: string; port: number; uid: number; inode: string }[] {
  const rows = [];
  for (const line of text.split('\n')) {
    if (!line.includes(' 0A ')) continue;
    const fields = line.trim().split(/\s+/);
    const [host, port] = (fields[1] ?? '').split(':');
    if (fields[3] !== '0A' || host === undefined || port === undefined) continue;
    rows.push({
      address: parseAddress(host),
      port: Number.parseInt(port, 16),
      uid: Number(fields[7]),
      inode: fields[9] ?? '',
    });
  }
  return rows;
}

/** The kernel prints addresses as 32-bit words in the machine's order (little endian on x64 and arm64). */
function parseAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).toReversed().map((pair) => Number.parseInt(pair, 16)),
  );
  if (bytes.length === 4) return bytes.join('.');
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (mapped) return bytes.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  return shortestIpv6(groups);
}

/** The longest run of zero groups becomes "::" (RFC 5952). */
function shortestIpv6(groups: readonly number[]): string {
  let best = { at: -1, length: 1 };
  for (let at = 0; at < groups.length; at += 1) {
    let length = 0;
    while (groups[at + length] === 0) length += 1;
    if (length > best.length) best = { at, length };
  }
  if (best.at < 0) return hexGroups(groups);
  return `${hexGroups(groups.slice(0, best.at))}::${hexGroups(groups.slice(best.at + best.length))}`;
}

function hexGroups(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(':');
}
