import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { textOf } from '../repo/source-tree.ts';
import type { Image } from './kube-box.ts';

export const berthImage = 'localhost/berth:1';

/** What the Containerfile copies from the folder that `npm run image` makes, and where to. */
export function copiedByContainerfile(): { from: string[]; to: string }[] {
  return instructions('COPY').map((line) => {
    const words = line.split(/\s+/).filter((word) => !word.startsWith('--'));
    return { from: words.slice(0, -1), to: words.at(-1) ?? '' };
  });
}

/** The rest of each line that begins with this word. */
export function instructions(word: string): string[] {
  return textOf('Containerfile')
    .split('\n')
    .flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1).trim()] : []));
}

/** As the Containerfile says it, over the Node of this machine in place of a base that would have to be fetched. */
export function berthImageFrom(tree: string, name = berthImage): (folder: string) => Image {
  return (folder) => {
    layNode(folder);
    for (const { from, to } of copiedByContainerfile())
      for (const part of from)
        cpSync(join(tree, part), to.endsWith('/') ? join(folder, to, part) : join(folder, to), {
          recursive: true,
        });
    const [entrypoint = '[]'] = instructions('ENTRYPOINT');
    const [user = ''] = instructions('USER');
    return {
      name,
      from: folder,
      files: ['.'],
      entrypoint: JSON.parse(entrypoint) as string[],
      env: ['PATH=/usr/local/bin', ...instructions('ENV').flatMap((line) => line.split(' '))],
      user,
    };
  };
}

/** Node of this machine with one program of a test's own at its root. */
export function nodeImage(name: string, program: string): (folder: string) => Image {
  return (folder) => {
    layNode(folder);
    copyFileSync(program, join(folder, basename(program)));
    return { name, from: folder, files: ['.'], entrypoint: [] };
  };
}

/** The Node of this machine with what it is linked to: all that a base needs. */
export function layNode(folder: string): void {
  const node = realpathSync(process.execPath);
  place(node, join(folder, 'usr/local/bin/node'));
  for (const library of librariesOf(node)) place(library, join(folder, library));
}

function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

function librariesOf(program: string): string[] {
  const told = execFileSync('ldd', [program], { encoding: 'utf8' });
  return told.split('\n').flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
