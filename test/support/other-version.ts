import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** One text of a source file that another version of berth has otherwise. */
export interface SourceChange {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Another version of berth in a folder: its sources with these changes. Gives the path of its executable. */
export function otherVersion(folder: string, changes: readonly SourceChange[]): string {
  mkdirSync(folder, { recursive: true });
  for (const name of ['bin', 'src', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const { file, from, to } of changes) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    if (!text.includes(from)) throw new Error(`${file} has no ${from}.`);
    writeFileSync(path, text.replace(from, to));
  }
  return join(folder, 'bin/berth.js');
}
