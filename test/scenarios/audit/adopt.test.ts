import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Plan } from '../../../src/domain/plan.ts';
import type { ScanReport } from '../../../src/domain/scan-report.ts';
import { hostLock } from '../../../src/fleet/file/paths.ts';
import { tryLock } from '../../../src/io/lock.ts';
import { placesOf } from '../../../src/io/places.ts';
import { freePorts, isRunning, makePlace, until } from '../../support/berth.ts';
import { createFakes, serverOf } from '../scan/fakes.ts';

const before = `version: 1
fleet: lab   # the one at home
id: k3x9q2

# What lies on the disk.
models:
  other: {source: /srv/models/other.gguf}   # not served yet
gateway: {listen: ["127.0.0.1:PORT"]}
`;

interface AdoptResult {
  readonly adopted: { name: string; pid: number }[];
  readonly changes: number;
}

/** A folder with a fleet file in which comments stand, and a server that somebody started by hand. */
async function running(): Promise<{
  place: ReturnType<typeof makePlace>;
  pid: number;
  port: number;
  stop: () => Promise<void>;
}> {
  const place = makePlace();
  const fakes = createFakes();
  const [port = 0, gateway = 0] = await freePorts(2);
  place.write(before.replace('PORT', String(gateway)));
  const model = join(place.folder, 'Kimi VL (Q4).gguf');
  writeFileSync(model, 'not read');
  const argv = [fakes.program('llama-server'), '-m', model, '--port', String(port), '-np', '2', '-c', '8192'];
  const { pid } = await fakes.start([...argv, '--alias', 'kimi', '--threads', '2']);
  return {
    place,
    pid,
    port,
    stop: async () => {
      await place.close();
      fakes[Symbol.dispose]();
    },
  };
}

test('a server that was started by hand is adopted: into the file beside its comments, without a restart, and the plan is empty', async () => {
  const { place, pid, port, stop } = await running();
  try {
    const text = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
    const offer = await place.berth('adopt');
    expect(offer.stdout).toContain('With "berth adopt --all" the fleet file would be:');
    expect(readFileSync(join(place.folder, 'berth.yaml'), 'utf8')).toBe(text);

    const done = await place.berth('adopt', String(pid), '--json');
    expect(done.stderr).toBe('');
    const result: AdoptResult = done.json();
    expect(result).toMatchObject({ adopted: [{ name: 'fake', pid }], changes: 0 });
    const after = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
    for (const line of text.split('\n').filter((one) => one.trim() !== ''))
      expect(after.split('\n')).toContain(line);
    for (const comment of ['# the one at home', '# What lies on the disk.', '# not served yet'])
      expect(after).toContain(comment);
    expect(after).toContain(`# Adopted, from process ${pid}: it runs on as it was started.`);

    const plan: Plan = (await place.berth('plan', '--json')).json();
    expect(plan.actions.map((one) => [one.do, one.deployment])).toEqual([['keep', 'fake']]);
    expect(plan.findings.filter((one) => one.rule === 'rendered-otherwise')).toEqual([]);
    const { deployments } = (await place.berth('status', '--json')).json() as {
      deployments: { replicas: unknown[] }[];
    };
    expect(deployments[0]?.replicas).toMatchObject([{ state: 'ready', pid, port, slots: 2 }]);
    const scanned: ScanReport = (await place.berth('scan', '--json', '--timeout', '8s')).json();
    expect(serverOf(scanned, pid)?.mark).toEqual({ fleet: 'lab', deployment: 'fake', replica: 0 });
    const again = await place.berth('adopt', String(pid));
    expect(again.code).toBe(2);
    expect(isRunning(pid)).toBe(true);
  } finally {
    await stop();
  }
});

test('while another command edits the file, adopting changes nothing and says who has it; afterwards it goes on', async () => {
  const { place, pid, stop } = await running();
  const file = join(place.folder, 'berth.yaml');
  const text = readFileSync(file, 'utf8');
  const held = await tryLock(`edit ${file}`, 'berth consolidate (process 1)');
  try {
    // A look writes nothing, and needs nobody's leave.
    expect((await place.berth('adopt')).code).toBe(0);
    const refused = await place.berth('adopt', String(pid));
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('berth consolidate (process 1)');
    expect(readFileSync(file, 'utf8')).toBe(text);
    held?.release();
    expect((await place.berth('adopt', String(pid))).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain(`from process ${pid}`);
  } finally {
    held?.release();
    await stop();
  }
}, 60_000);

test('what somebody writes into the file while adopting waits for another one stays, also where the wait is interrupted', async () => {
  const { place, pid, stop } = await running();
  const file = join(place.folder, 'berth.yaml');
  const places = placesOf({ HOME: place.folder }, place.env['BERTH_STATE_DIR']);
  const lock = await tryLock(hostLock({ places }), 'berth apply of fleet other (process 1)');
  try {
    for (const add of ['', '# by hand\n']) {
      const text = readFileSync(file, 'utf8');
      const adopting = place.spawn('adopt', String(pid));
      await until(() => adopting.output().stderr.includes('Waiting for berth apply'), 'it to wait');
      if (add !== '') appendFileSync(file, add);
      const meanwhile = readFileSync(file, 'utf8');
      adopting.child.kill('SIGINT');
      expect(await adopting.exited).toBe(130);
      expect(readFileSync(file, 'utf8')).toBe(add === '' ? text : meanwhile);
    }
  } finally {
    lock?.release();
    await stop();
  }
}, 60_000);

/** What is kept of the mark of an adopted process: root's lies where nobody else may write. */
function marksOf(folder: string, pid: number): string[] {
  const kept = process.getuid?.() === 0 ? '/run/berth/adopted' : join(folder, 'state/state/marks');
  return readdirSync(kept).filter((name) => name.includes(`-${pid}-`));
}

test('an adopted server is replaced as any other once the file changes, and nothing else of its session ends', async () => {
  const { place, pid, stop } = await running();
  try {
    await place.berth('adopt', String(pid), '--json');
    expect(marksOf(place.folder, pid)).toHaveLength(1);
    const path = join(place.folder, 'berth.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('slots: 2', 'slots: 3'));
    const plan: Plan = (await place.berth('plan', '--json')).json();
    expect(plan.actions).toMatchObject([{ do: 'replace', reasons: [{ field: 'engine.slots' }] }]);
    const applied = await place.berth('apply', '--yes', '--json');
    expect(applied.code).toBe(0);
    await until(() => !isRunning(pid), 'the adopted process to end');
    expect(marksOf(place.folder, pid)).toEqual([]);
    const { deployments } = (await place.berth('status', '--json')).json() as {
      deployments: { replicas: { state: string; pid: number }[] }[];
    };
    expect(deployments[0]?.replicas).toMatchObject([{ state: 'ready', slots: 3 }]);
    const refused = await place.berth('disown', 'fake');
    expect(refused.stderr).toContain('was started by berth');
    expect((await place.berth('down')).code).toBe(0);
  } finally {
    await stop();
  }
});

test('what is disowned runs on, and berth no longer counts it as its own', async () => {
  const { place, pid, stop } = await running();
  try {
    await place.berth('adopt', String(pid));
    const done = await place.berth('disown', 'fake');
    expect(done.stdout).toContain('Disowned, and still running: fake');
    expect(isRunning(pid)).toBe(true);
    const scanned: ScanReport = (await place.berth('scan', '--json', '--timeout', '8s')).json();
    expect(serverOf(scanned, pid)?.mark).toBeNull();
    expect((await place.berth('disown', 'fake')).code).toBe(2);
    const again = await place.berth('adopt', String(pid));
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringMatching(
        new RegExp(`\\(process ${pid}\\) cannot be adopted: .*berth.yaml has fake on port \\d+ already`),
      ),
    ]);
    expect((await place.berth('down')).stdout).toContain('Nothing of fleet lab was running');
    expect(isRunning(pid)).toBe(true);
  } finally {
    await stop();
  }
});

test('a folder without a fleet file gets one, and a server that cannot be adopted leaves it as it was', async () => {
  const place = makePlace();
  using fakes = createFakes();
  try {
    const [port = 0, second = 0] = await freePorts(2);
    const program = fakes.program('llama-server');
    const open = await fakes.start([program, '-m', 'a.gguf', '--port', String(port)]);
    const keyed = await fakes.start([program, '-m', 'b.gguf', '--port', String(second), '--api-key', 'sk-1']);
    const refused = await place.berth('adopt', String(keyed.pid));
    expect([refused.code, existsSync(join(place.folder, 'berth.yaml'))]).toEqual([2, false]);
    expect(refused.stderr).toContain('its command line holds a secret');
    const done = await place.berth('adopt', String(open.pid), '--fleet', 'den', '--json');
    expect((done.json() as AdoptResult).adopted).toMatchObject([{ pid: open.pid }]);
    expect(readFileSync(join(place.folder, 'berth.yaml'), 'utf8')).toMatch(
      /^# yaml-language-server.*\n.*\nversion: 1\nfleet: den\n/s,
    );
    expect((await place.berth('validate')).code).toBe(0);
  } finally {
    await place.close();
  }
});
