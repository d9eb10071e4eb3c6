import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { BerthError } from '../src/domain/errors/berth-error.ts';
import { loadFleet } from '../src/fleet/file/load.ts';
import { localWorld } from '../src/io/local-world.ts';
import { fencesOf, pagePaths } from '../tools/docs/pages.ts';
import type { Fence } from '../tools/docs/pages.ts';

const root = resolve(import.meta.dirname, '..');
/** In the environment of everything that a page's blocks start, so that nothing stays behind. */
const mark = 'BERTH_DOCS_SCRATCH';
/** Variables that the pages' fleet files name as places of keys. */
const keys = { CLOUD_KEY: 'example-1', LAPTOP_KEY: 'example-2', MASTER_KEY: 'example-3' };

/** Where blocks run, in place of this machine as it is. */
export interface Where {
  readonly env?: Readonly<Record<string, string>>;
  /** Another one: a folder that both see, and what stands before a command that is to run there. */
  readonly machine?: { readonly folder: string; readonly before: readonly string[] };
  /** What a reader has filled in by hand, by path. */
  readonly filled?: Readonly<Record<string, string>>;
}

/** Pages that have such a block, as [short name, path] for `test.each`. */
export function pagesWith(wanted: (info: string) => boolean): (readonly [string, string])[] {
  return pagePaths()
    .filter((page) => fencesOf(page).some((fence) => wanted(fence.info)))
    .map((page) => [relative(root, page), page] as const);
}

/**
 * Runs one page's blocks in order in a folder of their own, where `berth` is on PATH and HOME is empty. A `yaml fleet`
 * block is checked as a fleet file, and with `file=NAME` also written for the commands after it. Gives a text for each
 * block that failed. `env` is what they find beside the usual; its PATH is searched too.
 */
export async function runBlocks(
  fences: readonly Fence[],
  { env = {}, machine, filled = {} }: Where = {},
): Promise<string[]> {
  const folder = mkdtempSync(join(machine?.folder ?? tmpdir(), 'berth docs '));
  // Units of systemd run as users of their own.
  if (machine) chmodSync(folder, 0o755);
  const work = makeScratch(folder);
  for (const [path, text] of Object.entries(filled)) writeFileSync(join(work, path), text, { mode: 0o600 });
  const faults: string[] = [];
  try {
    for (const fence of fences) {
      const fault =
        fence.language === 'yaml'
          ? await checkFleet(fence, work)
          : await runShell(fence, folder, { work, env, before: machine?.before ?? [] });
      if (fault) faults.push(`${relative(root, fence.page)}:${fence.line}: ${fault}`);
    }
  } finally {
    for (const pid of marked(folder)) process.kill(pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  return faults;
}

function makeScratch(folder: string): string {
  const work = join(folder, 'work');
  mkdirSync(join(folder, 'bin'));
  mkdirSync(work);
  if (existsSync(join(root, 'examples')))
    cpSync(join(root, 'examples'), join(work, 'examples'), { recursive: true });
  symlinkSync(join(root, 'bin/berth.js'), join(folder, 'bin/berth'));
  return work;
}

async function checkFleet(fence: Fence, work: string): Promise<string | null> {
  const name = /\bfile=(\S+)/.exec(fence.info)?.[1] ?? `shown-${fence.line}.yaml`;
  writeFileSync(join(work, name), `${fence.text}\n`);
  try {
    await loadFleet({ ...localWorld(), env: keys }, { files: [name], cwd: work });
    return null;
  } catch (error) {
    return error instanceof BerthError ? `${error.message} ${JSON.stringify(error.facts)}` : String(error);
  }
}

/** The whole block in one shell that stops at the first failing command; null when all went well. */
function runShell(
  fence: Fence,
  folder: string,
  { work, env, before }: { work: string; env: Readonly<Record<string, string>>; before: readonly string[] },
): Promise<string | null> {
  // Whoever enters another machine is not where it was.
  const script = `cd '${work}'\n${fence.text}`;
  const [program, ...args] = [...before, 'bash', '-euo', 'pipefail', '-c', script];
  const child = spawn(program, args, {
    cwd: work,
    env: {
      ...env,
      PATH: `${folder}/bin:${dirname(process.execPath)}:${env['PATH'] ?? ''}:/usr/sbin:/usr/bin:/bin`,
      HOME: folder,
      BERTH_STATE_DIR: join(folder, 'state'),
      ...keys,
      [mark]: folder,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 180_000,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((done, fail) => {
    child.on('error', fail);
    // Not `close`: what the block left running may hold the pipes open.
    child.on('exit', (code, signal) => done(code === 0 ? null : `ended with ${code ?? signal}\n${output}`));
  });
}

function marked(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(`${mark}=${folder}\0`))
    .map(Number);
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
