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

const modelBefore = /^-m$|^--[\w-]*model[\w-]*$|^serve$/i;
const modelWithin = /^(?:[\w-]+=)*[\w-]*model[\w-]*=|\.(?:gguf|safetensors)$/i;

/** Of the paths that it names those that are given as a model, by the end of their name or by what stands before them. Pure. */
export function givenModels({ words, mounts, folder }: Given): string[] {
  const named = words.filter((word, at) => modelWithin.test(word) || modelBefore.test(words[at - 1] ?? ''));
  return givenPaths({ words: named, mounts, folder }).slice(mounts.length);
}

const folderName = String.raw`models?[-_]?(?:dir|directory|path|folder)s?`;
const namesFolder = new RegExp(`${folderName}$`, 'i');
const withFolder = new RegExp(`${folderName}=(.+)$`, 'i');

/** Folders of this machine that a server looks through by itself, such as that of "--models-dir". Pure. */
export function givenFolders({ words, mounts, folder }: Given): string[] {
  const named = words.flatMap((word, at) => {
    const value = withFolder.exec(word)?.[1] ?? (namesFolder.test(word) ? words[at + 1] : undefined);
    return value === undefined || value.startsWith('-') ? [] : [`${value}/`];
  });
  return givenPaths({ words: named, mounts, folder }).slice(mounts.length);
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

const mountKeys = /^\s*(Volume|BindPaths|BindReadOnlyPaths)\s*=\s*(.*?)\s*$/;

/** What a unit of systemd or a Quadlet file, with what changes it, gives its program. Pure. */
export function givenByUnit({
  text,
  home,
  runsAt,
}: {
  readonly text: string;
  readonly home: string;
  readonly runsAt: string;
}): Given {
  const lines = linesOf(text, home);
  const words = lines.flatMap((line) => wordsOf(line));
  const mounts = lines.flatMap((line) => {
    const [, key, value = ''] = mountKeys.exec(line) ?? [];
    // A Volume is one, spaces and all.
    return (key === 'Volume' ? [value] : wordsOf(value)).flatMap(mountIn);
  });
  const folder = lines
    .flatMap((line) => /^\s*WorkingDirectory\s*=\s*-?(\/.*?|~)\s*$/.exec(line)?.[1] ?? [])
    .at(-1);
  return { words, mounts, folder: folder === '~' ? runsAt : (folder ?? '/') };
}

/** The files of variables that it names; those of a Quadlet file may count from the folder that it lies in. Pure. */
export function variableFiles(text: string, { home, folder }: { home: string; folder: string }): string[] {
  return linesOf(text, home).flatMap((line) => {
    const value = /^\s*EnvironmentFile\s*=\s*-?(.+?)\s*$/.exec(line)?.[1];
    return value === undefined ? [] : [posix.resolve(folder, value.replace(/^(["'])(.*)\1$/, '$2'))];
  });
}

/** "NAME=value" of a file of variables, whose values may have spaces in them. Pure. */
export function variablesIn(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, name, value = ''] = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*?)\s*$/.exec(line) ?? [];
    return name === undefined ? [] : [`${name}=${value.replace(/^(["'])(.*)\1$/, '$2')}`];
  });
}

/** A line goes on after a backslash. */
function linesOf(text: string, home: string): string[] {
  return text.replaceAll('\\\n', ' ').replaceAll('%h', home).split('\n');
}

function wordsOf(line: string): string[] {
  const found = line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return found.map((word) => word.replaceAll(/["']/g, ''));
}

function mountIn(place: string): Mount[] {
  const [from, to] = place.replace(/^-/, '').split(':');
  return from?.startsWith('/') ? [{ from, to: to?.startsWith('/') ? to : from }] : [];
}
