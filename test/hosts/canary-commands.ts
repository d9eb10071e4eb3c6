import { expect } from 'vitest';
import type { Place } from '../support/berth.ts';
import type { Canaries } from '../support/canary.ts';

/** Runs these one after the other, and keeps what each says. */
export async function runAll(place: Place, commands: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const line of commands) {
    const ran = await place.berth(...line.split(' '));
    expect([line, ran.code, ran.stdout + ran.stderr]).toEqual([line, 0, expect.any(String)]);
    texts.set(line, ran.stdout + ran.stderr);
  }
  return texts;
}

/** Fails where one of them holds a secret in any form. */
export function expectClean(found: Canaries, texts: ReadonlyMap<string, string>): void {
  expect([...texts].flatMap(([name, text]) => found.in(text).map((what) => `${what} in ${name}`))).toEqual(
    [],
  );
}

/** Environments and command lines of all that runs there, as the machine itself tells them. */
export const allProcesses = `for p in /proc/[0-9]*; do cat $p/environ $p/cmdline 2>/dev/null; done; true`;
