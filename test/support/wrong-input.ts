import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One thing that a person may have got wrong, and what a command has to say of it. */
export interface WrongInput {
  readonly name: string;
  /** Makes it so; what it gives is undone afterwards. */
  readonly arrange?: () => Undo | Promise<Undo>;
  /** The fleet file with it, once it is arranged. */
  readonly fleet: () => string;
  readonly code: number;
  /** `down` cannot look there either. */
  readonly unseen?: true;
  /** What is wrong, why, and what mends it, as the command says it. */
  readonly object: Words;
  readonly cause: Words;
  readonly cure: Words;
}

type Words = string | RegExp | (() => string);

type Undo = void | (() => unknown);

/** Where a wrong input is tried: berth itself, and all that it could leave behind there. */
export interface WrongInputPlace {
  readonly write: (fleet: string) => void;
  readonly berth: (...args: string[]) => Ran | Promise<Ran>;
  readonly traces: () => unknown;
}

/**
 * Applies it. The command has to end with that code and those words, without what looks like a fault of berth itself. What is left
 * has to be named by the status, a plan has to begin anew, and `down` has to work. Gives what was in the place before and after.
 */
export async function tryWrong(
  place: WrongInputPlace,
  wrong: WrongInput,
): Promise<{ before: unknown; after: unknown }> {
  const before = await place.traces();
  const undo = await wrong.arrange?.();
  try {
    const arranged = await place.traces();
    place.write(wrong.fleet());
    const ran = await place.berth('apply', '--yes');
    const said = ran.stdout + ran.stderr;
    expect(ran.code, said).toBe(wrong.code);
    for (const words of [wrong.object, wrong.cause, wrong.cure]) {
      const wanted = typeof words === 'function' ? words() : words;
      if (typeof wanted === 'string') expect(said).toContain(wanted);
      else expect(said).toMatch(wanted);
    }
    expectNoFault(ran);
    if (!isDeepStrictEqual(await place.traces(), arranged)) await expectNamed(place);
  } finally {
    await undo?.();
  }
  expectNoFault(await place.berth('plan'));
  const down = await place.berth('down');
  expectNoFault(down);
  if (!wrong.unseen) expect(down.code, down.stdout + down.stderr).toBe(0);
  return { before, after: await place.traces() };
}

/** Something is left: then the status has an object for it. */
async function expectNamed(place: WrongInputPlace): Promise<void> {
  const status = await place.berth('status', '--json');
  const { deployments } = JSON.parse(status.stdout) as FleetStatus;
  const objects = deployments.flatMap(({ replicas }) => replicas.map(({ object }) => object));
  expect(objects.filter((object) => object !== null)).not.toEqual([]);
}

function expectNoFault({ stdout, stderr }: Ran): void {
  expect(stdout + stderr).not.toContain('unexpected fault');
  expect(stdout + stderr).not.toMatch(/\n {4}at .*:\d+:\d+/);
}
