import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path/posix';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Files, FileStat } from '../files.ts';
import type { Connection } from './connection.ts';
import { reasonOf } from './faults.ts';
import type { Framed } from './script.ts';
import { quote } from './script.ts';

const english = 'LC_ALL=C; export LC_ALL\n';

/** Null where there is no such file; throws what else is said. */
async function unlessMissing(link: Connection, what: string, script: string): Promise<Framed | null> {
  const done = await link.run(english + script, { doing: what });
  if (done?.code === 0) return done;
  const said = done?.stderr ?? '';
  if (/: (No such file or directory|Not a directory)\s*$/.test(said)) return null;
  throw new BerthError('HOST_REFUSES', { host: link.where, what, said: reasonOf(said) });
}

async function read(link: Connection, path: string): Promise<string | null> {
  const done = await unlessMissing(link, `Reading ${path}`, `cat ${quote(operand(path))}`);
  return done && done.stdout.toString('utf8');
}

/** A path that is not taken for an option. */
function operand(path: string): string {
  return path.startsWith('-') ? `./${path}` : path;
}

/** Whole or not at all: where the connection is lost midway, what has come is too short and stays beside. */
async function write(
  link: Connection,
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  const beside = quote(`${path}.${randomBytes(4).toString('hex')}.tmp`);
  const script = `umask 077
mkdir -p ${quote(dirname(path))} || exit 1
trap 'rm -f ${beside.replaceAll("'", `'\\''`)}' EXIT
cat >${beside} || exit 1
[ "$(wc -c <${beside})" -eq ${Buffer.byteLength(content)} ] || { echo 'sh: it did not come whole' >&2; exit 1; }
chmod ${mode.toString(8)} ${beside} || exit 1
[ ! -d ${quote(path)} ] || { echo 'sh: it is a folder' >&2; exit 1; }
mv -f ${beside} ${quote(path)}`;
  await link.must(`Writing ${path}`, english + script, { input: content });
}

async function append(link: Connection, path: string, text: string): Promise<void> {
  await link.must(`Writing to ${path}`, `${english}umask 077\ncat >>${quote(path)}`, { input: text });
}

async function list(link: Connection, path: string): Promise<string[]> {
  const script = `cd ${quote(operand(path))} && ls -A`;
  const done = await link.run(english + script, { doing: `Listing ${path}` });
  if (done?.code === 0) return done.stdout.toString('utf8').split('\n').filter(Boolean);
  // A shell has its own words for what is not there.
  if ((await stat(link, path)) === null) return [];
  const said = reasonOf(done?.stderr ?? '');
  throw new BerthError('HOST_REFUSES', { host: link.where, what: `Listing ${path}`, said });
}

const fileType = 0o170000;
const regular = 0o100000;

async function stat(link: Connection, path: string): Promise<FileStat | null> {
  const script = `stat -L -c '%s %f %Y %d:%i' ${quote(operand(path))}`;
  const done = await unlessMissing(link, `Looking at ${path}`, script);
  if (!done) return null;
  const [size, raw, seconds, id = ''] = done.stdout.toString('utf8').trim().split(' ');
  const bits = Number.parseInt(raw ?? '0', 16);
  return {
    size: Number(size),
    isFile: (bits & fileType) === regular,
    mode: bits & 0o7777,
    mtimeMs: Number(seconds) * 1000,
    id,
  };
}

/** Files of another machine, as the user that ssh logs in as. */
export function farFiles(link: Connection): Files {
  return {
    read: (path) => read(link, path),
    write: (path, content, mode) => write(link, path, content, mode),
    append: (path, text) => append(link, path, text),
    list: (path) => list(link, path),
    stat: (path) => stat(link, path),
    makeDir: async (path) => {
      await link.must(`Making ${path}`, `${english}umask 077\nmkdir -p ${quote(operand(path))}`);
    },
    remove: async (path) => {
      await link.must(`Removing ${path}`, `${english}rm -rf ${quote(operand(path))}`);
    },
  };
}
