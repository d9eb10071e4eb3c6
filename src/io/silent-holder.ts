import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Which process has a socket of this abstract name and does not answer on it, as far as this user may see that. */
export function silentHolder(name: string, proc = '/proc'): string {
  const sockets = socketsOf(name.replace('\0', '@'), proc);
  const pid = listOf(proc)
    .filter((one) => /^\d+$/.test(one))
    .find((one) => hasOneOf(sockets, `${proc}/${one}/fd`));
  if (pid === undefined) return 'a process that does not answer';
  return `process ${pid} (${textOf(`${proc}/${pid}/comm`).trim()}), which does not answer`;
}

/** As links to them read. */
function socketsOf(name: string, proc: string): Set<string> {
  const rows = textOf(`${proc}/net/unix`).split('\n');
  return new Set(
    rows
      .filter((row) => row.endsWith(` ${name}`))
      .map((row) => `socket:[${row.trim().split(/ +/)[6] ?? ''}]`),
  );
}

function hasOneOf(sockets: ReadonlySet<string>, folder: string): boolean {
  return listOf(folder).some((fd) => {
    try {
      return sockets.has(readlinkSync(`${folder}/${fd}`));
    } catch {
      return false;
    }
  });
}

function listOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
