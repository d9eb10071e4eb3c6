import { posix } from 'node:path';

/** A folder or file of this machine, and where a container or unit has it. */
export interface Mount {
  readonly from: string;
  readonly to: string;
}

/** What something is started with, and sees of this machine. */
export interface Given {
  readonly words: readonly string[];
  readonly mounts: readonly Mount[];
  /** What relative paths count from. */
  readonly folder: string;
}

/** Paths of this machine that may be a model: what is mounted, and each word or value of "--flag=PATH" that looks like a path. Pure. */
export function givenPaths({ words, mounts, folder }: Given): string[] {
  const likely = words
    .map((word) => word.replace(/^-{0,2}(?:[\w-]+=)+/, ''))
    .filter((word) => word.length < 4096 && /^[^\n]*(?:\/|\.gguf$|\.safetensors$)/.test(word))
    .map((word) => posix.resolve(folder, word));
  const mounted = likely.flatMap((path) =>
    mounts.flatMap(({ from, to }) => (isBelow(path, to) ? [posix.join(from, path.slice(to.length))] : [])),
  );
  return [...mounts.map(({ from }) => from), ...likely, ...mounted];
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

const mountKeys = /^\s*(Volume|BindPaths|BindReadOnlyPaths)\s*=\s*(.*?)\s*$/;

/** What a unit of systemd or a Quadlet file gives its program. Pure. */
export function givenByUnit(text: string, home: string): Given {
  // A line goes on after a backslash.
  const lines = text.replaceAll('\\\n', ' ').replaceAll('%h', home).split('\n');
  const words = lines.flatMap((line) => wordsOf(line));
  const mounts = lines.flatMap((line) => {
    const [, key, value = ''] = mountKeys.exec(line) ?? [];
    // A Volume is one, spaces and all.
    return (key === 'Volume' ? [value] : wordsOf(value)).flatMap(mountIn);
  });
  const [folder] = lines.flatMap((line) => /^\s*WorkingDirectory\s*=\s*-?(\/.*?)\s*$/.exec(line)?.[1] ?? []);
  return { words, mounts, folder: folder ?? '/' };
}

function wordsOf(line: string): string[] {
  const found = line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return found.map((word) => word.replaceAll(/["']/g, ''));
}

function mountIn(place: string): Mount[] {
  const [from, to] = place.replace(/^-/, '').split(':');
  return from?.startsWith('/') ? [{ from, to: to?.startsWith('/') ? to : from }] : [];
}
