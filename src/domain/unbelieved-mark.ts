import type { Mark } from './instance.ts';

/** A mark that berth has not written: it counts as another fleet's, which is left alone, and nothing that it says is read or sent. */
export function unbelieved(mark: Mark, uid: number): Mark {
  const spec = { ...mark.spec, secrets: {}, args: [], env: {} };
  return { ...mark, fleetId: `${mark.fleetId}${infix}${uid}`, logFile: '', spec };
}

/** The user whose process claims to be of this fleet and is not believed; null of any other. */
export function claimantOf(
  mark: Mark | null,
  fleet: { readonly fleet: string; readonly fleetId: string },
): number | null {
  const start = `${fleet.fleetId}${infix}`;
  if (mark?.fleet !== fleet.fleet || !mark.fleetId.startsWith(start)) return null;
  const rest = mark.fleetId.slice(start.length);
  return /^\d+$/.test(rest) ? Number(rest) : null;
}

const infix = ' of user ';
