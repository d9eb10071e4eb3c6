import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registrySettings } from './support/registry-settings.ts';

const root = resolve(import.meta.dirname, '..');
/** The quickstart's own ports: they are pinned in its file, since people find it there. */
const ports = [8484, 8485];
const tools = outsideTools();
const missing = [
  ...(tools === null ? ['node and npm on PATH'] : []),
  ...(existsSync(join(root, '.git')) ? [] : ['a git clone']),
];

// What a newcomer types, in a clone that has nothing yet, with an empty HOME and a path with a space.
describe.skipIf(missing.length > 0)(`a fresh clone (${missing.join(', ') || 'with npm'})`, () => {
  let place: string;
  let clone: string;

  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), 'berth clone '));
    clone = join(place, 'a clone');
    mkdirSync(join(place, 'home'));
    execFileSync('git', ['clone', '--quiet', root, clone]);
  });
  afterAll(() => rmSync(place, { recursive: true, force: true, maxRetries: 5 }));

  test('serves and measures by one command, and leaves nothing behind', { timeout: 600_000 }, async () => {
    for (const port of ports) expect(await isOpen(port), `port ${port} is free before`).toBe(false);
    const { code, output } = await npm(['start', '--', '--once']);
    expect(code, output).toBe(0);
    expect(output).toMatch(/1 stream .*\d/);
    expect(output).toMatch(/2 streams .*\d/);
    expect(output).toContain(`http://127.0.0.1:${ports[0]}/v1`);
    for (const port of ports) expect(await isOpen(port), `port ${port} is free after`).toBe(false);
    expect(processesOf(clone)).toEqual([]);
  });

  test('needs nothing installed or built again the second time', { timeout: 120_000 }, async () => {
    const { code, output } = await npm(['run', 'build']);
    expect(code, output).toBe(0);
    expect(output).not.toContain('Installing');
    expect(output).not.toContain('Building');
  });

  test(
    'says which file to look at when it is asked for a benchmark that is not there',
    { timeout: 60_000 },
    async () => {
      const { code, output } = await npm([
        'exec',
        '--offline',
        '--',
        'node',
        'scripts/bench.mjs',
        'nonsense',
      ]);
      expect(code).toBe(1);
      expect(output).toContain('There are:');
    },
  );

  function npm(args: readonly string[]): Promise<{ code: number | null; output: string }> {
    const child = spawn('npm', args, {
      cwd: clone,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...registrySettings(), PATH: `${tools ?? ''}:/usr/bin:/bin`, HOME: join(place, 'home') },
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    return new Promise((done, fail) => {
      child.on('error', fail);
      child.on('close', (code) => done({ code, output }));
    });
  }
});

/** The folder of the machine's own Node, not the pinned one that runs this. */
function outsideTools(): string | null {
  const folders = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'));
  return folders.find((folder) => ['node', 'npm'].every((name) => existsSync(join(folder, name)))) ?? null;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => done(true)).on('error', () => done(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** Command lines of processes that run anything of this folder. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes(folder));
}
