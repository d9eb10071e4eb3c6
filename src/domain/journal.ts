import { z } from 'zod';
import { ProcessId } from './instance.ts';

/** Who had berth change something: the user it ran as, the one behind sudo, and on which machine. */
const Who = z.object({
  uid: z.int(),
  user: z.string().nullable(),
  sudoUser: z.string().nullable(),
  machine: z.string(),
});

/**
 * What is done to one engine: `back` is its old self once more, after the new one never answered; `restart` is one that ran and did not
 * answer; `adopt` and `disown` change its mark alone; `close file` takes from others the right to read one of its files. The last ones
 * change the gateway: what it takes over of the file, and its keys.
 */
export const effectKinds = [
  'start',
  'stop',
  'restart',
  'back',
  'end',
  'adopt',
  'disown',
  'close file',
  'reload',
  'add key',
  'rotate key',
  'revoke key',
] as const;

const Effect = z.object({
  do: z.enum(effectKinds),
  /** Name of its host in the file; null for berth's own processes, the gateway and its keys. */
  host: z.string().nullable(),
  deployment: z.string().nullable(),
  replica: z.int().nullable(),
  /** What it was done to: "process 4242"; null for what was to come. */
  object: z.string().nullable(),
  /** The kind of target that runs what it brings; absent where it brings nothing, and in lines of earlier versions. */
  target: z.string().optional(),
  reasons: z.array(z.string()),
});
export type Effect = z.infer<typeof Effect>;

/** A line of the journal: one before an effect, one after it with the same `id`. A line is never changed. */
export const JournalLine = z.discriminatedUnion('phase', [
  Effect.extend({
    version: z.literal(1),
    phase: z.literal('begin'),
    id: z.string(),
    at: z.iso.datetime(),
    who: Who,
    process: ProcessId,
    command: z.string(),
    /** Which plan it was of; null without one. */
    plan: z.string().nullable(),
  }),
  z.object({
    version: z.literal(1),
    phase: z.enum(['done', 'failed', 'interrupted']),
    id: z.string(),
    at: z.iso.datetime(),
    /** What came to be: "process 4243". */
    became: z.string().nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  }),
]);
export type JournalLine = z.infer<typeof JournalLine>;
type Begun = Extract<JournalLine, { phase: 'begin' }>;

/** What came of it. `under way`: berth is at it now. `unfinished`: berth ended before it could say. */
export type Outcome = 'done' | 'failed' | 'interrupted' | 'under way' | 'unfinished';

/** Both lines of one effect. */
export interface JournalEntry extends Omit<Begun, 'version' | 'phase'> {
  readonly endedAt: string | null;
  readonly outcome: Outcome;
  readonly became: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Effects by their beginnings, oldest first. An end whose beginning is no longer kept is left out. */
export function entriesOf(
  lines: readonly JournalLine[],
  runs: (process: ProcessId) => boolean,
): JournalEntry[] {
  const entries = new Map<string, JournalEntry>();
  for (const line of lines) {
    if (line.phase === 'begin') {
      const { version: _version, phase: _phase, ...begun } = line;
      const outcome = runs(line.process) ? 'under way' : 'unfinished';
      entries.set(line.id, { ...begun, endedAt: null, outcome, became: null, error: null });
      continue;
    }
    const begun = entries.get(line.id);
    const { phase: outcome, at: endedAt, became, error } = line;
    if (begun) entries.set(line.id, { ...begun, endedAt, outcome, became, error });
  }
  return [...entries.values()];
}
