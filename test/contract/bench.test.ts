import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { datasets } from '../../src/bench/datasets/registry.ts';
import { benchEndpoints } from '../../src/bench/endpoints/registry.ts';
import { endpointFor } from '../../src/bench/run/run-endpoint.ts';
import type { Exchange } from '../../src/io/timed-request.ts';
import { profiles } from '../../src/bench/profiles/registry.ts';
import { nextOf, openOf } from '../../src/bench/registry-entry.ts';
import type { PromptServer } from '../../src/bench/contract.ts';
import { Strategy } from '../../src/domain/load-shape.ts';
import type { Report } from '../../src/domain/run/report.ts';
import type { StageReport } from '../../src/domain/run/stage-report.ts';
import type { ReportFormat } from '../../src/publish/registry.ts';
import { filePublishers } from '../../src/publish/registry.ts';
import { exampleReport } from '../support/example-report.ts';

/** The least that a fleet file may say of each entry. */
const least: Readonly<Record<string, Record<string, unknown>>> = {
  concurrent: { streams: [1, 2] },
  constant: { rates: [1, 5] },
  poisson: { rates: [1, 5] },
  gamma: { rates: [2], shape: 0.5 },
  sweep: { to: 64 },
  sessions: { sessions: [1, 4] },
  stages: { stages: [{ rate: 10, seconds: 5 }] },
  jsonl: { file: '/p.jsonl' },
  csv: { file: '/p.csv' },
  parquet: { file: '/p.parquet' },
  sharegpt: { file: '/talks.json' },
  replay: { file: '/t.jsonl' },
  trace: { file: '/t.jsonl' },
};

function talkOf(text: string): object {
  return {
    conversations: [
      { from: 'human', value: text },
      { from: 'gpt', value: text },
    ],
  };
}

const texts: Readonly<Record<string, string>> = {
  '/t.jsonl': [20, 30].map((n) => `{"timestamp":${n},"input_length":${n},"output_length":4}\n`).join(''),
  '/p.jsonl': '{"prompt":"one"}\n{"prompt":"two"}\n',
  '/p.csv': 'prompt\none\ntwo\n',
  '/talks.json': JSON.stringify([talkOf('one'), talkOf('two')]),
};

const server: PromptServer = {
  countTokens: async (text) => text.split(' ').length,
  tokenizer: 'words',
  countPrompt: async (text) => text.split(' ').length + 3,
  readFile: async (path) => texts[path] ?? null,
  openFile: async (path) => {
    const bytes = Buffer.from(
      parquetWriteBuffer({ columnData: [{ name: 'prompt', data: ['one', 'two'], type: 'STRING' }] }),
    );
    return {
      path,
      size: bytes.length,
      read: async (offset, length) => bytes.subarray(offset, offset + length),
      [Symbol.asyncDispose]: async () => {},
    };
  },
};

describe.each(profiles.map((profile) => profile.kind))('profile %s', (kind) => {
  const options = { kind, ...least[kind] };

  test('gives valid strategies and comes to an end', () => {
    const next = nextOf(profiles, options);
    const done: StageReport[] = [];
    for (let stage = next(done); stage !== null; stage = next(done)) {
      expect(Strategy.parse(stage)).toEqual(stage);
      done.push({ ...(exampleReport().stages[0] as StageReport), index: done.length, strategy: stage });
      expect(done.length).toBeLessThan(100);
    }
    expect(done.length).toBeGreaterThan(0);
  });

  test('refuses a key that it does not know, by name', () => {
    expect(() => nextOf(profiles, { ...options, typo: 1 } as never)).toThrow('typo');
  });
});

describe.each(datasets.map((dataset) => dataset.kind))('dataset %s', (kind) => {
  const options = { kind, ...least[kind] };

  test('gives the same prompt for the same number, and each asks for tokens', async () => {
    const source = await openOf(datasets, options)(server, 1);
    for (const id of [0, 1, 7]) {
      expect(source.at(id)).toEqual(source.at(id));
      expect(source.at(id).outputTokens).toBeGreaterThan(0);
    }
    expect(source.at(0).content).not.toEqual(source.at(1).content);
  });

  test('refuses a key that it does not know, by name', () => {
    expect(() => openOf(datasets, { ...options, typo: 1 } as never)).toThrow('typo');
  });
});

/** A body as it came, whole. */
function answered(text: string, contentType = 'application/json'): Exchange {
  const bytes = Buffer.from(text);
  return {
    started: 0,
    connected: 0,
    sent: 0,
    headers: 0,
    done: 9,
    status: 200,
    contentType,
    fault: null,
    body: { bytes, at: [5], ends: [bytes.length] },
  };
}

describe.each(benchEndpoints.map(({ kind }) => kind))('endpoint %s', (kind) => {
  const endpoint = endpointFor({ kind });
  const prompt = {
    content: 'one two',
    promptTokens: { tokens: 2, source: null },
    outputTokens: endpoint.generates ? 5 : null,
  } as const;

  test('names the model and puts the prompt into its body', () => {
    const asked = { model: 'm', prompt, stream: true, streamUsage: true, temperature: 0.5 };
    const body = endpoint.body(asked);
    expect(body['model']).toBe('m');
    expect(JSON.stringify(body)).toContain('one two');
    expect('stream' in body).toBe(endpoint.generates);
    expect(JSON.stringify(body).includes(':5')).toBe(endpoint.generates);
  });

  test.each(['', '<html>', '[]', '{"data":1,"results":1,"choices":1,"output":1}'])(
    'takes %s for what it is: no answer of its own',
    (text) => {
      const { complete, fault, inputs } = endpoint.read(answered(text), true);
      expect({ complete, inputs }).toEqual({ complete: false, inputs: null });
      expect(fault?.kind).toBe('malformed');
    },
  );

  test('tells an error inside an answer that began well', () => {
    const read = endpoint.read(answered('{"error":{"message":"out of memory"}}'), true);
    expect(read.fault).toMatchObject({ kind: 'stream-error', message: expect.stringContaining('memory') });
  });

  test('refuses a key that it does not know, by name', () => {
    expect(() => endpointFor({ kind, typo: 1 } as never)).toThrow('typo');
  });
});

/** How each format writes a text that would break it; those of bytes are read back in their own tests. */
const asWritten: Readonly<Record<Exclude<ReportFormat, 'jsonl' | 'parquet'>, (text: string) => string>> = {
  json: (text) => JSON.stringify(text),
  csv: (text) => `,"${text.replaceAll('"', '""')}",`,
  html: (text) =>
    `<dd>${text.replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')}</dd>`,
  markdown: (text) => text.replaceAll(/[<>|_]/g, (found) => `\\${found}`),
  guidellm: (text) => JSON.stringify(text),
  'guidellm-0.3': (text) => JSON.stringify(text),
};

async function rendered(kind: ReportFormat, report: Report): Promise<string> {
  const publisher = filePublishers.find((each) => each.kind === kind);
  const content = await publisher?.render(report, () => Promise.resolve([]));
  return typeof content === 'string' ? content : Buffer.from(content ?? []).toString('latin1');
}

describe.each(filePublishers)('publisher $kind', (publisher) => {
  test('writes a report that was interrupted before its first stage', async () => {
    const text = await rendered(
      publisher.kind,
      exampleReport({ stages: [], scaling: [], interrupted: true }),
    );
    expect(text.length).toBeGreaterThan(publisher.kind === 'jsonl' ? -1 : 0);
  });
});

test.each(Object.entries(asWritten))(
  'as %s nothing is written that a hostile model name could break',
  async (kind, form) => {
    const name = '</script><script>alert(1)</script>",=cmd|x_y';
    const report = exampleReport();
    const server = { ...report.server, model: name };
    const text = await rendered(kind as ReportFormat, { ...report, name, server });
    expect(text).toContain(form(name));
  },
);

test('a page runs no script, whatever a server calls its model', async () => {
  const report = exampleReport();
  const hostile = '</script><script>alert(1)</script>';
  const server = { ...report.server, model: hostile };
  const text = await rendered('html', { ...report, name: hostile, server });
  expect(text.match(/<script/g)).toHaveLength(1);
  expect(text).toContain('<script type="application/json"');
});

test('kinds are unique in each registry, and every entry can be described by JSON Schema', () => {
  for (const registry of [profiles, datasets, benchEndpoints]) {
    const kinds = registry.map((entry) => entry.kind);
    expect(new Set(kinds).size).toBe(kinds.length);
    for (const entry of registry)
      expect(z.toJSONSchema(entry.options, { io: 'input' })).toHaveProperty('type');
  }
});

test('a column without a value is empty, and a text that a spreadsheet would compute is disarmed', async () => {
  const report = exampleReport();
  const [stage] = report.stages;
  const text = await rendered('csv', {
    ...report,
    server: { ...report.server, model: '=1+1' },
    stages: [{ ...(stage as StageReport), ttft: null }],
  });
  const [head = '', row = ''] = text.split('\r\n') ?? [];
  const cells = row.split(',');
  expect(cells[head.split(',').indexOf('model')]).toBe("'=1+1");
  expect(cells[head.split(',').indexOf('ttft_p50_ms')]).toBe('');
});
