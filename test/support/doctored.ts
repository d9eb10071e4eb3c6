import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './berth.ts';

/** What `berth doctor --json` prints. */
export interface Examined {
  readonly worst: string;
  readonly hosts: {
    readonly host: string;
    readonly checks: {
      check: string;
      state: string;
      message: string;
      evidence: string[];
      cure: string | null;
    }[];
  }[];
}

/** Programs that stand in for tools of the machine: each prints the text for its arguments, with the code behind it. */
export function toolIn(
  place: Place,
  name: string,
  answers: readonly (readonly [args: string, text: string, code?: number])[],
): void {
  const folder = join(place.folder, 'tools');
  mkdirSync(folder, { recursive: true });
  const cases = answers.map(([args, text, code = 0], i) => {
    writeFileSync(join(folder, `${name}.${i}`), text);
    return `  ${args}) cat "$here/${name}.${i}"; exit ${code};;`;
  });
  const script = `#!/bin/sh\nhere=$(dirname "$0")\ncase "$*" in\n${cases.join('\n')}\n  *) echo "unexpected: $*" >&2; exit 9;;\nesac\n`;
  writeFileSync(join(folder, name), script);
  chmodSync(join(folder, name), 0o755);
  if (!place.env['PATH']?.startsWith(folder)) place.env['PATH'] = `${folder}:${place.env['PATH'] ?? ''}`;
}

/** Runs it in the folder of a place. */
export async function doctorIn(
  place: Place,
  ...args: string[]
): Promise<{ code: number | null; found: Examined }> {
  const ran = await place.berth('doctor', '--json', ...args);
  return { code: ran.code, found: ran.json() };
}

/** What one check found, on all hosts. */
export function verdictsOf(found: Examined, check: string): Examined['hosts'][0]['checks'] {
  return found.hosts.flatMap(({ checks }) => checks.filter((one) => one.check === check));
}
