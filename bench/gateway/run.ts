// The gateway beside others on the same engine, one core for each: `npm run bench:gateway [-- --quick] [--only PEER]`.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { reportGoals } from '../lib/goals.ts';
import type { Goal } from '../lib/goals.ts';
import { machineLine } from '../lib/machine.ts';
import { absentRows, compareWith } from './compare.ts';
import { loadCore } from './load.ts';
import { manyStreams } from './many.ts';
import { hasNginx, peers } from './peers.ts';
import type { Peer } from './peers.ts';
import { firstLine, pinned, start, stop } from './processes.ts';
import { startGateway, startNginx } from './sides.ts';
import type { Side } from './sides.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});
const effort = values.quick
  ? { pairs: 3, seconds: 2, streamSeconds: 3, warmUpSeconds: 3, beginnings: 8 }
  : { pairs: 7, seconds: 4, streamSeconds: 8, warmUpSeconds: 8, beginnings: 32 };

interface Bench {
  readonly folder: string;
  readonly client: string;
  readonly engine: Side;
}

/** Compiles the engine and the client, which must cost less than what they measure; null when there is no compiler. */
function compile(folder: string): { engine: string; client: string } | null {
  for (const name of ['engine', 'client']) {
    const source = join(import.meta.dirname, `${name}.c`);
    const { status } = spawnSync('cc', ['-O2', '-o', join(folder, name), source], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status !== 0) return null;
  }
  return { engine: join(folder, 'engine'), client: join(folder, 'client') };
}

function ownFolder(folder: string, name: string): string {
  const own = mkdtempSync(join(folder, `${name}-`));
  chmodSync(own, 0o755);
  return own;
}

async function rowsBeside(peer: Peer, { folder, client, engine }: Bench): Promise<Goal[]> {
  const prepared = peer.prepare();
  if ('absent' in prepared) return absentRows(peer, prepared.absent);
  const sides: Side[] = [];
  try {
    const other = await prepared(ownFolder(folder, peer.name), engine.port);
    sides.push(other);
    const gateway = await startGateway(ownFolder(folder, 'gateway'), engine.port);
    sides.push(gateway);
    const floor =
      peer.name === 'nginx' || !hasNginx ? null : await startNginx(ownFolder(folder, 'floor'), engine.port);
    if (floor) sides.push(floor);
    return await compareWith(peer, { client, engine, gateway, peer: other, floor }, effort);
  } catch (error) {
    // One peer that fails must not cost the figures of the others.
    return absentRows(peer, error instanceof Error ? error.message : String(error));
  } finally {
    for (const side of sides.reverse()) await stop(side.child);
  }
}

async function main(): Promise<void> {
  const chosen = peers.filter(({ name }) => !values.only || values.only.includes(name));
  const folder = mkdtempSync(join(tmpdir(), 'berth-bench-gateway-'));
  chmodSync(folder, 0o755);
  const programs = compile(folder);
  if (!programs) {
    reportGoals(chosen.flatMap((peer) => absentRows(peer, 'no C compiler named cc')));
    return;
  }
  const child = start(pinned([programs.engine], loadCore));
  try {
    const port = Number(await firstLine(child));
    const engine = { name: 'engine', port, child, pid: child.pid as number, headers: '' };
    const bench = { folder, client: programs.client, engine };
    console.log(`${machineLine()}, ${effort.pairs} interleaved pairs, streams at 50 events a second`);
    const rows: Goal[] = [];
    for (const peer of chosen) rows.push(...(await rowsBeside(peer, bench)));
    if (chosen.some(({ name }) => name === 'nginx') && hasNginx) {
      const begin = {
        nginx: () => startNginx(ownFolder(folder, 'nginx'), port),
        gateway: () => startGateway(ownFolder(folder, 'gateway'), port),
      };
      const options = values.quick ? { pairs: 1, seconds: 6 } : { pairs: 3, seconds: 8 };
      rows.push(...(await manyStreams(programs.client, begin, options)));
    }
    reportGoals(rows);
  } finally {
    await stop(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
