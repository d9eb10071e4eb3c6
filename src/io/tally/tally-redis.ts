import type { TallyRow } from '../../domain/experiment-tally.ts';
import type { RedisLink } from '../redis.ts';

type Run = RedisLink['run'];

/** What nobody adds to in so long is forgotten. */
const keepSeconds = 180 * 86_400;
/** Batches are known for so long, so that one that was told and not answered is not counted twice. */
const batchSeconds = 3600;

/* Keys: the batch, then one an experiment. Arguments: seconds to keep both, then three a row: its key's number, field, count. */
const addScript = `
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return 0 end
for i = 3, #ARGV, 3 do redis.call('HINCRBY', KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]) end
for i = 2, #KEYS do redis.call('EXPIRE', KEYS[i], ARGV[2]) end
return 1`;

/** Adds rows that all gateways of a fleet count together; the same `batch` again adds nothing. Rejects when it cannot be told whether it did. */
export async function addToShared(
  run: Run,
  fleet: string,
  { batch, rows }: { batch: string; rows: readonly TallyRow[] },
): Promise<void> {
  const names = [...new Set(rows.map(({ experiment }) => experiment))];
  const keys = [`berth:{${fleet}}:tally-batch:${batch}`, ...names.map((name) => keyOf(fleet, name))];
  const args = rows.flatMap(({ experiment, measure, deployment, client, point, count }) => [
    String(2 + names.indexOf(experiment)),
    JSON.stringify([measure, deployment, client, point]),
    String(count),
  ]);
  await run(addScript, keys, [String(batchSeconds), String(keepSeconds), ...args]);
}

/** Rejects when the store cannot be reached. */
export async function sharedRows(run: Run, fleet: string, experiment: string): Promise<TallyRow[]> {
  const flat = (await run(
    `return redis.call('HGETALL', KEYS[1])`,
    [keyOf(fleet, experiment)],
    [],
  )) as unknown[];
  const rows: TallyRow[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [measure = '', deployment = '', client = '', point = ''] = JSON.parse(String(flat[i])) as string[];
    rows.push({ experiment, measure, deployment, client, point, count: Number(flat[i + 1]) });
  }
  return rows;
}

/** Begins anew. Rejects when the store cannot be reached. */
export async function forgetShared(run: Run, fleet: string, experiment: string): Promise<void> {
  await run(`return redis.call('DEL', KEYS[1])`, [keyOf(fleet, experiment)], []);
}

function keyOf(fleet: string, experiment: string): string {
  // The braces keep all that a fleet has on one node of a cluster.
  return `berth:{${fleet}}:experiment:${experiment}`;
}
