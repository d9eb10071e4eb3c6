import { join, resolve } from 'node:path';
import { ofHere } from '../../domain/given-files.ts';
import { changeScalars } from './tree.ts';
import type { Located } from './tree.ts';

/** From where the paths of a file count. */
export interface PathBase {
  /** The folder of the file that they stand in. */
  readonly folder: string;
  /** What `~` stands for: the home of the user who runs berth, on this machine. */
  readonly home: string;
}

/** Places whose relative paths count from the folder of their file. `*` is any key. */
const fromFolder = patternsOf([
  'imports.*',
  'hosts.*.kubernetes.kubeconfig',
  'models.*.source',
  'models.*.mmproj',
  'deployments.*.engine.binary',
  'deployments.*.engine.workdir',
  'deployments.*.engine.command.0',
  'defaults.engine.binary',
  'defaults.engine.workdir',
  'gateway.tls.cert',
  'gateway.tls.key',
  'gateway.tls.clientCa',
  'deployments.*.engine.ca',
  'defaults.engine.ca',
  'benchmarks.*.data.file',
  'benchmarks.*.data.path',
  'publishers.*.caFile',
  'audit.figures.*',
]);

/** Places of absolute paths, or of such that count from a folder of berth's: of them `~` alone is filled in. */
const fromHome = patternsOf([
  'deployments.*.engine.lora.*',
  'deployments.*.engine.draftModel',
  'defaults.engine.lora.*',
  'defaults.engine.draftModel',
  'gateway.accessLog.path',
]);

/** Places of texts that an engine is given from beside the file; with "/" they lie on its host already. */
const given = patternsOf(
  ['chatTemplateFile', 'modelsPreset', 'chatTemplate'].flatMap((key) => [
    `deployments.*.engine.${key}`,
    `defaults.engine.${key}`,
  ]),
);

/** Whether at this place of the file, by its keys, a text may stand that an engine is given from beside it. */
export function isGivenPlace(name: string): boolean {
  return given.some((pattern) => pattern.test(name));
}

function patternsOf(places: readonly string[]): RegExp[] {
  return places.map((place) => new RegExp(`^${place.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}$`));
}

/** Makes paths absolute while it is still known in which file they stand. */
export function resolvePaths(tree: Located, base: PathBase): Located {
  return changeScalars(tree, (piece, text) => {
    const secret = /^\$\{file:([^}]+)\}$/.exec(text);
    if (secret?.[1]) return { value: `\${file:${absolute(secret[1], base)}}` };
    const name = piece.path.join('.');
    const ofHome = isOfHome(text);
    if (fromHome.some((pattern) => pattern.test(name)))
      return ofHome ? { value: absolute(text, base), ofHome } : { value: text };
    if (isGivenPlace(name)) return givenAt(name, text, base);
    const place = fromFolder.find((pattern) => pattern.test(name));
    if (!place || text === '' || /^[a-z0-9+]+:\/\//i.test(text)) return { value: text };
    // The name of a program without a slash is looked up on PATH.
    if (/binary|command/.test(place.source) && !text.includes('/')) return { value: text };
    return ofHome ? { value: absolute(text, base), ofHome } : { value: absolute(text, base) };
  });
}

/** A template can stand there itself, or the name of one: then a file begins with a dot. */
function givenAt(
  name: string,
  text: string,
  base: PathBase,
): ReturnType<Parameters<typeof changeScalars>[1]> {
  if (isOfHome(text)) return { value: absolute(text, base), ofHome: true };
  const isFile = name.endsWith('.chatTemplate') ? /^\.{1,2}\//.test(text) : !text.startsWith(ofHere);
  return {
    value: isFile && text !== '' && !text.startsWith('/') ? `${ofHere}${absolute(text, base)}` : text,
  };
}

function isOfHome(text: string): boolean {
  return text === '~' || text.startsWith('~/');
}

function absolute(text: string, { folder, home }: PathBase): string {
  return isOfHome(text) ? join(home, text.slice(1)) : resolve(folder, text);
}
