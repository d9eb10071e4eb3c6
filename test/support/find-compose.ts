import { execFileSync } from 'node:child_process';

/** A program that starts compose files which have a name of their own: compose 2 or later; null where none is here. */
export function findCompose(): readonly string[] | null {
  return [['docker', 'compose'], ['docker-compose']].find((words) => (versionOf(words) ?? 0) >= 2) ?? null;
}

function versionOf([program = '', ...before]: readonly string[]): number | null {
  try {
    const told = execFileSync(program, [...before, 'version', '--short'], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return Number.parseInt(told.trim().replace(/^v/, ''), 10);
  } catch {
    return null;
  }
}
