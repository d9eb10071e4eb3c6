import { outcomes, tokenSources } from '../../domain/run/record.ts';
import type { RequestRecord, TokenCount } from '../../domain/run/record.ts';

const phases = ['warmup', 'measured'] as const;
const reasoningSources = ['usage', 'events'] as const;

/** Words that stand as their place in a list. Only ever added to at the end: files have the lists they were written with. */
export const words = {
  phase: phases,
  outcome: outcomes,
  source: tokenSources,
  reasoningSource: reasoningSources,
} as const;

/** Moments: a double each, NaN where there is none. */
export const timeColumns = [
  'scheduled',
  'started',
  'connected',
  'sent',
  'headers',
  'firstByte',
  'firstToken',
  'firstContent',
  'last',
  'done',
] as const;

type Column = readonly [name: string, of: (record: RequestRecord) => number | null];

/** Stands for a number that is unknown. */
export const unknown = -(2 ** 31);

/** Whole numbers, and words by their place in a list: 32 bits each. Gaps lie apart, all else in the notes. */
const numbers: readonly Column[] = [
  ['id', ({ id }) => id],
  ['stage', ({ stage }) => stage],
  ['phase', ({ phase }) => phases.indexOf(phase)],
  ['stream', ({ stream }) => stream],
  ['session.number', ({ session }) => session?.number ?? null],
  ['session.turn', ({ session }) => session?.turn ?? null],
  ['events', ({ events }) => events],
  ['status', ({ status }) => status],
  ['outcome', ({ outcome }) => outcomes.indexOf(outcome)],
  ...countColumns('prompt'),
  ...countColumns('output'),
  ['reasoning.tokens', ({ reasoning }) => reasoning?.tokens ?? null],
  ['reasoning.source', ({ reasoning }) => (reasoning ? reasoningSources.indexOf(reasoning.source) : null)],
  ['cached', ({ cached }) => cached],
  ['inputs', ({ inputs }) => inputs ?? null],
  // -1: some are too long for 32 bits, and all of them lie in the notes.
  ['gaps', ({ gaps }) => (gaps.every(isShort) ? gaps.length : -1)],
];

export function isShort(gap: number): boolean {
  return gap < 2 ** 32;
}

function countColumns(name: 'prompt' | 'output'): Column[] {
  return [
    [`${name}.asked`, (record) => record[name].asked],
    [`${name}.tokens`, (record) => record[name].tokens],
    [
      `${name}.source`,
      (record) => (record[name].source === null ? null : tokenSources.indexOf(record[name].source)),
    ],
  ];
}

export const numberColumns: readonly string[] = numbers.map(([name]) => name);

/** The number columns of a record, in their order. One that 32 bits do not hold is unknown there and lies in the notes. */
export function numbersOf(record: RequestRecord): number[] {
  return numbers.map(([, of]) => {
    const value = of(record);
    return value === null || !fits(value) ? unknown : value;
  });
}

function fits(value: number): boolean {
  return Math.abs(value) < 2 ** 31;
}

/** Where a column stands among the numbers. */
export function columnAt(name: string): number {
  return numberColumns.indexOf(name);
}

/** Reads a column of one record; null where it is unknown. */
type Read = (column: number) => number | null;

const places = Object.fromEntries(numberColumns.map((name, place) => [name, place])) as Record<
  string,
  number
>;

/** A count of tokens out of its three columns, the first of which is given. */
function countOf(read: Read, first: number): TokenCount {
  const source = read(first + 2);
  return {
    asked: read(first),
    tokens: read(first + 1),
    source: source === null ? null : (tokenSources[source] ?? null),
  };
}

export function sessionOf(read: Read): RequestRecord['session'] {
  const number = read(places['session.number'] as number);
  const turn = read(places['session.turn'] as number);
  return number === null || turn === null ? undefined : { number, turn };
}

export function reasoningOf(read: Read): RequestRecord['reasoning'] {
  const tokens = read(places['reasoning.tokens'] as number);
  const source = reasoningSources[read(places['reasoning.source'] as number) ?? -1];
  return tokens === null || source === undefined ? null : { tokens, source };
}

/** What no column holds; what is null is left out. */
export function noteOf(record: RequestRecord): Record<string, unknown> {
  const note: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record))
    if (value !== null && value !== undefined && !inColumns.has(name)) note[name] = value;
  if (!record.gaps.every(isShort)) note['gaps'] = record.gaps;
  for (const [name, of] of numbers) {
    const field = fieldOf(name) as keyof RequestRecord;
    if (!fits(of(record) ?? 0)) note[field] = record[field];
  }
  return note;
}

const inColumns: ReadonlySet<string> = new Set(['schema', ...timeColumns, ...numberColumns.map(fieldOf)]);

function fieldOf(column: string): string {
  return column.split('.')[0] as string;
}

/** The numbers of a record as a record has them; times, gaps and notes are not among them. */
export function recordPart(read: Read): Record<string, unknown> {
  const session = sessionOf(read);
  const plain = ['id', 'stage', 'stream', 'events', 'status', 'cached', 'inputs'] as const;
  return {
    ...Object.fromEntries(plain.map((name) => [name, read(places[name] as number)])),
    phase: phases[read(places['phase'] as number) ?? -1],
    outcome: outcomes[read(places['outcome'] as number) ?? -1],
    ...(session && { session }),
    prompt: countOf(read, places['prompt.asked'] as number),
    output: countOf(read, places['output.asked'] as number),
    reasoning: reasoningOf(read),
  };
}
