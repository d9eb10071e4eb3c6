import { dirname } from 'node:path/posix';
import { isWrittenSecret } from '../../domain/command-line/written-secret.ts';
import type { World } from '../../io/world.ts';
import { isOpen } from '../../io/open-to-all.ts';
import { inForce, valuesOf } from '../../targets/systemd/unit-text.ts';
import type { UnitText } from '../../targets/systemd/unit-text.ts';
import { unitWords } from './unit-words.ts';

/** A file of variables that a unit names; one that cannot be read is empty, and not seen. */
interface VariableFile {
  readonly path: string;
  readonly text: string;
  readonly isSeen: boolean;
}

/** The variables that a unit gives its program, those of its files among them. Pure. */
export function environmentOf(
  unit: UnitText,
  files: readonly VariableFile[],
  section: string,
): Record<string, string> {
  const lines = [
    ...inForce(valuesOf(unit, section, 'Environment')).flatMap((line) => unitWords(line)),
    ...files.flatMap(({ text }) => text.split('\n')),
  ];
  const taken = inForce(valuesOf(unit, section, 'UnsetEnvironment')).flatMap((line) => unitWords(line));
  const pairs = lines.flatMap((line) => [pairOf(line)].flatMap((pair) => (pair ? [pair] : [])));
  return Object.fromEntries(
    Object.entries(Object.fromEntries(pairs)).filter(
      ([name, value]) => !taken.includes(name) && !taken.includes(`${name}=${value}`),
    ),
  );
}

/** Those with a secret in them that every user of the machine can read. */
export async function openEnvironment(world: World, files: readonly VariableFile[]): Promise<string[]> {
  const open = await Promise.all(
    files.map(async ({ path, text }) => {
      const holds = text.split('\n').some((line) => isWrittenSecret(...(pairOf(line) ?? ['', ''])));
      return holds && (await isOpen(world, '', path)) ? [path] : [];
    }),
  );
  return [...new Set(open.flat())];
}

/** The files of variables that a unit names. */
export async function variableFiles(world: World, unit: UnitText, section: string): Promise<VariableFile[]> {
  const named = inForce(valuesOf(unit, section, 'EnvironmentFile')).map((path) => path.replace(/^-/, ''));
  const paths = await Promise.all(named.map((path) => matching(world, path)));
  return Promise.all(
    paths.flat().map(async (path) => {
      const text = await world.files.read(path).catch(() => null);
      return { path, text: text ?? '', isSeen: text !== null };
    }),
  );
}

/** "*" and "?" in its name stand for what lies in its folder, in the order of names. */
async function matching({ files }: World, path: string): Promise<string[]> {
  const folder = dirname(path);
  if (!/[*?]/.test(path) || /[*?]/.test(folder)) return [path];
  const pattern = path.slice(folder.length + 1).replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  const wanted = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
  const names = await files.list(folder).catch(() => []);
  return names
    .filter((name) => wanted.test(name))
    .toSorted()
    .map((name) => `${folder}/${name}`);
}

/** "NAME=value", without the quotes around the value. */
function pairOf(line: string): [string, string] | null {
  const match = /^\s*([A-Za-z_]\w*)=(.*)$/.exec(line);
  return match ? [match[1] ?? '', (match[2] ?? '').trim().replace(/^(["'])(.*)\1$/, '$2')] : null;
}
