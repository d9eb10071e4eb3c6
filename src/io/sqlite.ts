import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { localFiles } from './files.ts';

export interface Sqlite {
  readonly prepare: (sql: string) => StatementSync;
  /** Does all of it or nothing. */
  readonly together: (task: () => void) => void;
  readonly close: () => void;
}

const usual = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA busy_timeout = 200;`;

/** Opens or makes a file of this user's alone, with its tables. Rejects when it is none of SQLite's, or cannot be written. */
export async function openSqlite(path: string, schema: string): Promise<Sqlite> {
  await localFiles.makeDir(dirname(path));
  // Made here, since SQLite would let all users read it; its files beside it get the same rights.
  await localFiles.append(path, '');
  // Loaded only where something is kept.
  const sqlite = await import('node:sqlite');
  const db: DatabaseSync = new sqlite.DatabaseSync(path);
  try {
    db.exec(usual + schema);
  } catch (error) {
    db.close();
    throw error;
  }
  return {
    prepare: (sql) => db.prepare(sql),
    together: (task) => {
      db.exec('BEGIN IMMEDIATE');
      try {
        task();
        db.exec('COMMIT');
      } catch (error) {
        db.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => {
      if (db.isOpen) db.close();
    },
  };
}
