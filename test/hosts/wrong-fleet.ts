import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ownPorts } from '../support/berth.ts';
import type { Place, Ran } from '../support/berth.ts';

export const bin = resolve(import.meta.dirname, '../../bin/berth.js');
export const nobody = 65_534;

/** A fleet of one deployment `a`, which has something wrong about it. */
export function fleetWith(deployment: string, model = './m.gguf'): string {
  return [
    'version: 1',
    'fleet: lab',
    'id: wrong2',
    ownPorts(),
    `models: {toy: {source: ${model}}}`,
    'deployments:',
    `  a: {model: toy, ${deployment}}`,
  ].join('\n');
}

/** A folder on a disk of its own that is full to the last byte. */
export function fullDisk(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
  try {
    writeFileSync(join(folder, 'full'), Buffer.alloc(64 * 1024));
  } catch {
    // That is what it is for.
  }
  return () => void execFileSync('umount', [folder]);
}

/** Berth as a user without rights; the folder and the clone may be read by all. */
export function runAsNobody({ folder, env }: Place, args: readonly string[]): Ran {
  const words = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', process.execPath, bin, ...args];
  const own = {
    ...env,
    HOME: folder,
    USER: 'nobody',
    BERTH_STATE_DIR: join(folder, 'theirs'),
    NODE_COMPILE_CACHE: '',
  };
  try {
    const stdout = execFileSync('setpriv', words, { cwd: folder, env: own, encoding: 'utf8', stdio: 'pipe' });
    return { code: 0, stdout, stderr: '', json: () => JSON.parse(stdout) as never };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, stdout, stderr, json: () => JSON.parse(stdout) as never };
  }
}
