import type { TallyRow } from '../../domain/experiment-tally.ts';
import { openSqlite } from '../sqlite.ts';

/** A SQLite file of what experiments have counted by client. Several processes may add to one file at the same time. */
export interface TallyFile {
  /** Adds to what is there, all or none. Throws when it cannot be written. */
  readonly add: (rows: readonly TallyRow[]) => void;
  readonly rows: (experiment: string) => TallyRow[];
  /** Begins anew. */
  readonly forget: (experiment: string) => void;
  readonly close: () => void;
}

const schema = `
  CREATE TABLE IF NOT EXISTS tally (
    experiment TEXT NOT NULL, measure TEXT NOT NULL, deployment TEXT NOT NULL, client TEXT NOT NULL,
    point TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (experiment, measure, deployment, client, point)
  ) WITHOUT ROWID`;

const upsert = `
  INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (experiment, measure, deployment, client, point) DO UPDATE SET count = count + excluded.count`;

/** Opens or makes the file. Rejects when it is none of SQLite's, or cannot be written. */
export async function openTallyFile(path: string): Promise<TallyFile> {
  const db = await openSqlite(path, schema);
  const insert = db.prepare(upsert);
  const select = db.prepare('SELECT * FROM tally WHERE experiment = ?');
  const remove = db.prepare('DELETE FROM tally WHERE experiment = ?');
  return {
    add: (rows) =>
      db.together(() => {
        for (const { experiment, measure, deployment, client, point, count } of rows)
          insert.run(experiment, measure, deployment, client, point, count);
      }),
    rows: (experiment) => select.all(experiment) as unknown as TallyRow[],
    forget: (experiment) => void remove.run(experiment),
    close: db.close,
  };
}
