import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Secrets that are looked for wherever they must not be. Each has characters that every encoding writes in its own way. */
export interface Canaries {
  /** A new secret of this kind. */
  readonly make: (kind: string) => string;
  /** One that something else made, such as a key of berth's own. */
  readonly add: (kind: string, secret: string) => void;
  /** Kinds and forms that stand in a text: empty where it is clean. */
  readonly in: (text: string) => string[];
}

export function canaries(): Canaries {
  const forms: { what: string; text: string }[] = [];
  function add(kind: string, secret: string): void {
    for (const [form, text] of formsOf(secret)) forms.push({ what: `${kind} ${form}`, text });
  }
  return {
    make: (kind) => {
      const secret = `cnry/${randomBytes(12).toString('hex')}+${kind}=&?`;
      add(kind, secret);
      return secret;
    },
    add,
    in: (text) => [...new Set(forms.filter((form) => text.includes(form.text)).map((form) => form.what))],
  };
}

/** As it is, as a part of a URL, as text of JSON, in hexadecimal digits, and in base64 wherever in a longer text it begins. */
function formsOf(secret: string): [string, string][] {
  const base64 = [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    // Digits that hold a bit of what stands before or behind it are not its own.
    const digits = bytes.toString('base64').replace(/=+$/, '');
    const own = digits.slice(before === 0 ? 0 : before + 1, bytes.length % 3 === 0 ? undefined : -1);
    return [`base64 at ${before}`, own] as [string, string];
  });
  const urlSafe = base64.map(
    ([name, text]) => [`url ${name}`, text.replaceAll('+', '-').replaceAll('/', '_')] as [string, string],
  );
  const query = new URLSearchParams({ '': secret }).toString().slice(1);
  return [
    ['plain', secret],
    ['url-encoded', encodeURIComponent(secret)],
    ['as a query', query],
    ['json', JSON.stringify(secret).slice(1, -1)],
    ['hex', Buffer.from(secret).toString('hex')],
    ...base64,
    ...urlSafe,
  ];
}

/** Looks at every process of the machine again and again: command lines, and the environment of those that are named. */
export function watchProcesses(found: Canaries): { readonly stop: () => Promise<string[]> } {
  const seen = new Set<string>();
  function look(): void {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const text = readOr(`/proc/${pid}/cmdline`);
      for (const what of found.in(text)) seen.add(`${what} in ${text.replaceAll('\0', ' ').slice(0, 200)}`);
    }
  }
  const timer = setInterval(look, 40);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return Promise.resolve([...seen]);
    },
  };
}

export function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Files below a folder that hold a secret: those that only their owner may read, and all others. */
export function filesWith(found: Canaries, folder: string): { own: string[]; open: string[] } {
  const own: string[] = [];
  const open: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const kinds = found.in(readOr(path));
    if (kinds.length === 0) continue;
    const list = (statSync(path).mode & 0o077) === 0 ? own : open;
    list.push(`${path.slice(folder.length + 1)}: ${kinds.join(', ')}`);
  }
  return { own, open };
}
