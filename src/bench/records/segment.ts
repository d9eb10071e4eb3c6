import { outcomes, RequestRecord, tokenSources } from '../../domain/run/record.ts';
import type { Outcome, TokenCount } from '../../domain/run/record.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import { runSchema } from '../../domain/run/schema-version.ts';
import { columnAt, reasoningOf, recordPart, sessionOf, timeColumns, unknown } from './columns.ts';

/** Some records as they lie in memory: a stretch of times or numbers for each column, all gaps behind one another, notes as JSON lines. */
export interface SegmentParts {
  readonly count: number;
  readonly times: Float64Array;
  readonly numbers: Int32Array;
  readonly gaps: Uint32Array;
  readonly notes: Buffer;
}

const at = {
  id: columnAt('id'),
  stage: columnAt('stage'),
  phase: columnAt('phase'),
  stream: columnAt('stream'),
  events: columnAt('events'),
  outcome: columnAt('outcome'),
  prompt: columnAt('prompt.asked'),
  output: columnAt('output.asked'),
  reasoning: columnAt('reasoning.tokens'),
  session: columnAt('session.number'),
  cached: columnAt('cached'),
  inputs: columnAt('inputs'),
  gaps: columnAt('gaps'),
} as const;

// Written out: a literal's fields are constants to the compiler, and these are read a hundred million times.
const timeAt = {
  scheduled: timeColumns.indexOf('scheduled'),
  started: timeColumns.indexOf('started'),
  connected: timeColumns.indexOf('connected'),
  sent: timeColumns.indexOf('sent'),
  firstToken: timeColumns.indexOf('firstToken'),
  firstContent: timeColumns.indexOf('firstContent'),
  last: timeColumns.indexOf('last'),
  done: timeColumns.indexOf('done'),
} as const;

export class Segment {
  readonly parts: SegmentParts;
  /** Where the gaps of each record begin. */
  readonly #starts: Uint32Array;
  #notes: readonly string[] | null = null;

  constructor(parts: SegmentParts) {
    this.parts = parts;
    const starts = (this.#starts = new Uint32Array(parts.count + 1));
    for (let i = 0; i < parts.count; i += 1)
      starts[i + 1] = (starts[i] as number) + Math.max(0, this.number(at.gaps, i));
  }

  get count(): number {
    return this.parts.count;
  }

  number(column: number, place: number): number {
    return this.parts.numbers[column * this.parts.count + place] as number;
  }

  time(column: number, place: number): number {
    return this.parts.times[column * this.parts.count + place] as number;
  }

  countOf(column: number, place: number): TokenCount {
    const asked = this.number(column, place);
    const tokens = this.number(column + 1, place);
    return {
      asked: orNull(asked),
      tokens: orNull(tokens),
      source: tokenSources[this.number(column + 2, place)] ?? null,
    };
  }

  gapsOf(place: number): readonly number[] | Uint32Array {
    if (this.number(at.gaps, place) < 0) return (this.noteOf(place)['gaps'] ?? []) as number[];
    const { gaps } = this.parts;
    const from = this.#starts[place] as number;
    // Twice as fast as subarray, and this is done millions of times.
    return new Uint32Array(
      gaps.buffer,
      gaps.byteOffset + 4 * from,
      (this.#starts[place + 1] as number) - from,
    );
  }

  /** Notes are parsed for who asks: most figures need none. */
  noteOf(place: number): Record<string, unknown> {
    this.#notes ??= this.parts.notes.toString('utf8').split('\n');
    return JSON.parse(this.#notes[place] ?? '{}') as Record<string, unknown>;
  }

  rows(): RecordRow[] {
    const rows: Row[] = [];
    for (let place = 0; place < this.count; place += 1) rows.push(new Row(this, place));
    return rows;
  }

  recordOf(place: number): RequestRecord {
    return RequestRecord.parse({
      ...nothingNoted,
      ...recordPart((column) => orNull(this.number(column, place))),
      ...Object.fromEntries(timeColumns.map((name, i) => [name, timeOrNull(this.time(i, place))])),
      ...this.noteOf(place),
      gaps: [...this.gapsOf(place)],
    });
  }
}

const nothingNoted = {
  schema: runSchema,
  responseId: null,
  error: null,
  finish: null,
  server: null,
  text: null,
} as const;

function orNull(value: number): number | null {
  return value === unknown ? null : value;
}

function timeOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** A record in its segment: two references, so that a million of them are no burden. */
class Row implements RecordRow {
  readonly #segment: Segment;
  readonly #place: number;

  constructor(segment: Segment, place: number) {
    this.#segment = segment;
    this.#place = place;
  }

  #known(column: number): number {
    return this.#segment.number(column, this.#place);
  }

  #read(column: number): number | null {
    return orNull(this.#segment.number(column, this.#place));
  }

  #time(column: number): number {
    return this.#segment.time(column, this.#place);
  }

  #timeOrNull(column: number): number | null {
    return timeOrNull(this.#segment.time(column, this.#place));
  }

  get id(): number {
    return this.#known(at.id);
  }
  get stage(): number {
    return this.#known(at.stage);
  }
  get phase(): 'warmup' | 'measured' {
    return this.#known(at.phase) === 0 ? 'warmup' : 'measured';
  }
  get stream(): number {
    return this.#known(at.stream);
  }
  get session(): RecordRow['session'] {
    return this.#known(at.session) === unknown ? undefined : sessionOf((column) => this.#read(column));
  }
  get scheduled(): number {
    return this.#time(timeAt.scheduled);
  }
  get started(): number | null {
    return this.#timeOrNull(timeAt.started);
  }
  get connected(): number | null {
    return this.#timeOrNull(timeAt.connected);
  }
  get sent(): number | null {
    return this.#timeOrNull(timeAt.sent);
  }
  get firstToken(): number | null {
    return this.#timeOrNull(timeAt.firstToken);
  }
  get firstContent(): number | null {
    return this.#timeOrNull(timeAt.firstContent);
  }
  get last(): number | null {
    return this.#timeOrNull(timeAt.last);
  }
  get done(): number {
    return this.#time(timeAt.done);
  }
  get events(): number {
    return this.#known(at.events);
  }
  get outcome(): Outcome {
    return outcomes[this.#known(at.outcome)] as Outcome;
  }
  get error(): string | null {
    return (this.#segment.noteOf(this.#place)['error'] ?? null) as string | null;
  }
  get prompt(): RecordRow['prompt'] {
    return this.#segment.countOf(at.prompt, this.#place);
  }
  get output(): RecordRow['output'] {
    return this.#segment.countOf(at.output, this.#place);
  }
  get reasoning(): RecordRow['reasoning'] {
    // Most have none: a function for each would be a million of them.
    return this.#known(at.reasoning) === unknown ? null : reasoningOf((column) => this.#read(column));
  }
  get cached(): number | null {
    return this.#read(at.cached);
  }
  get inputs(): number | null {
    return this.#read(at.inputs);
  }
  get gaps(): readonly number[] | Uint32Array {
    return this.#segment.gapsOf(this.#place);
  }
}
