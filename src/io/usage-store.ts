import { openSqlite } from './sqlite.ts';

/** What one key took of one model on one day (UTC, "2026-05-31"). */
export interface UsageRow {
  readonly day: string;
  readonly key: string;
  readonly model: string;
  readonly requests: number;
  readonly input: number;
  readonly output: number;
  readonly usd: number;
}

/** A SQLite file of usage by day. Several processes may add to one file at the same time. */
export interface UsageStore {
  /** Adds to what is there, all or none. Throws when it cannot be written. */
  readonly add: (rows: readonly UsageRow[]) => void;
  /** All rows from that day on. */
  readonly since: (day: string) => UsageRow[];
  readonly close: () => void;
}

const schema = `
  CREATE TABLE IF NOT EXISTS usage (
    day TEXT NOT NULL, key TEXT NOT NULL, model TEXT NOT NULL,
    requests INTEGER NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL, usd REAL NOT NULL,
    PRIMARY KEY (day, key, model)
  ) WITHOUT ROWID`;

const upsert = `
  INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (day, key, model) DO UPDATE SET
    requests = requests + excluded.requests, input = input + excluded.input,
    output = output + excluded.output, usd = usd + excluded.usd`;

/** Opens or makes the file. Rejects when it is none of SQLite's, or cannot be written. */
export async function openUsageStore(path: string): Promise<UsageStore> {
  const db = await openSqlite(path, schema);
  const insert = db.prepare(upsert);
  const select = db.prepare('SELECT * FROM usage WHERE day >= ? ORDER BY day, key, model');
  return {
    add: (rows) =>
      db.together(() => {
        for (const { day, key, model, requests, input, output, usd } of rows)
          insert.run(day, key, model, requests, input, output, usd);
      }),
    since: (day) => select.all(day) as unknown as UsageRow[],
    close: db.close,
  };
}
