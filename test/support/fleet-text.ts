/**
 * Writes random but valid fleet files and knows where each key and value came to stand, without any YAML library: the oracle for
 * the places of faults.
 */

export type Random = () => number;

/** mulberry32: the same numbers for the same seed. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)] as T;
}

export type Kind =
  | 'int'
  | 'text'
  | 'name'
  | 'reference'
  | 'duration'
  | 'size'
  | 'switch'
  | 'ports'
  | 'list'
  | 'map';

/** `free`: the key is a name that the user chose, so that it cannot be misspelt. */
export interface Entry {
  key: string;
  kind: Kind;
  value: string | Entry[];
  required?: boolean;
  free?: boolean;
}

export interface Place {
  line: number;
  column: number;
}

export interface Written {
  text: string;
  places: Map<Entry, { key: Place; value: Place }>;
}

export function write(entries: readonly Entry[], random: Random): Written {
  const places: Written['places'] = new Map();
  let text = random() < 0.5 ? '# yaml-language-server: $schema=./schema.json\n' : '';

  function here(): Place {
    const line = text.split('\n').length;
    return { line, column: text.length - text.lastIndexOf('\n') };
  }
  function key(entry: Entry): { key: Place; value: Place } {
    const place = { key: here(), value: here() };
    places.set(entry, place);
    const quote = pick(random, ['', '', '', '"', "'"]);
    text += `${quote}${entry.key}${quote}:`;
    return place;
  }
  function flow(list: readonly Entry[]): void {
    text += '{';
    list.forEach((entry, i) => {
      if (i > 0) text += pick(random, [', ', ',  ']);
      const place = key(entry);
      text += ' ';
      place.value = here();
      if (typeof entry.value === 'string') text += entry.value;
      else flow(entry.value);
    });
    text += '}';
  }
  function block(list: readonly Entry[], indent: number): void {
    const pad = ' '.repeat(indent);
    for (const entry of list) {
      if (random() < 0.15) text += `${pad}# a comment: with {things}, "in" it\n`;
      if (random() < 0.1) text += '\n';
      text += pad;
      const place = key(entry);
      if (typeof entry.value === 'string') {
        text += pick(random, [' ', ' ', '   ']);
        place.value = here();
        text += `${entry.value}${random() < 0.15 ? ' # why' : ''}\n`;
      } else if (entry.value.length === 0 || (indent > 0 && random() < 0.35)) {
        text += ' ';
        place.value = here();
        flow(entry.value);
        text += '\n';
      } else {
        text += '\n';
        const deeper = indent + pick(random, [2, 2, 4]);
        block(entry.value, deeper);
      }
    }
  }
  block(entries, 0);
  return { text, places };
}

function int(key: string, value: number): Entry {
  return { key, kind: 'int', value: String(value) };
}

function map(key: string, value: Entry[], more: Partial<Entry> = {}): Entry {
  return { key, kind: 'map', value, ...more };
}

function engine(random: Random): Entry {
  const llama = random() < 0.5;
  return map(
    'engine',
    [
      { key: 'kind', kind: 'name', value: llama ? 'llama.cpp' : 'embedded', required: true },
      int('slots', 1 + Math.floor(random() * 8)),
      int('context', 512 * (1 + Math.floor(random() * 8))),
      ...(llama ? [int('cacheRam', 512), int('batch', 256)] : []),
      { key: 'embeddings', kind: 'switch', value: 'true' },
    ],
    { required: true },
  );
}

/** A valid fleet of a few deployments. */
export function validFleet(random: Random): Entry[] {
  const count = 1 + Math.floor(random() * 4);
  const names = Array.from({ length: count }, (_, i) => `model-${i}`);
  const deployments = names.map((name, i) =>
    map(
      name,
      [
        {
          key: 'model',
          kind: 'reference',
          value: pick(random, ['mistral', '"mistral"', "'toy'"]),
          required: true,
        },
        { key: 'host', kind: 'reference', value: 'box' },
        ...(random() < 0.5 ? [int('port', 18500 + i)] : [int('replicas', 2)]),
        engine(random),
        ...(random() < 0.5
          ? [map('target', [{ key: 'kind', kind: 'name', value: 'process', required: true }])]
          : []),
      ],
      { free: true },
    ),
  );
  return [
    { key: 'version', kind: 'int', value: '1', required: true },
    { key: 'fleet', kind: 'name', value: 'lab', required: true },
    map('hosts', [
      map(
        'box',
        [
          { key: 'ports', kind: 'ports', value: '18400-18499' },
          { key: 'reserve', kind: 'list', value: '[18450]' },
        ],
        { free: true },
      ),
    ]),
    map('models', [
      map('mistral', [{ key: 'source', kind: 'text', value: './mistral.gguf', required: true }], {
        free: true,
      }),
      map(
        'toy',
        [
          { key: 'source', kind: 'text', value: '/srv/toy.gguf', required: true },
          { key: 'mmproj', kind: 'text', value: './m.gguf' },
        ],
        { free: true },
      ),
    ]),
    map('deployments', deployments),
    map('gateway', [
      { key: 'listen', kind: 'list', value: '["127.0.0.1:8484"]' },
      map('routes', [
        { key: 'big', kind: 'reference', value: pick(random, names), free: true },
        map(
          'both',
          [
            { key: 'to', kind: 'reference', value: pick(random, names), required: true },
            { key: 'aliases', kind: 'list', value: '[all]' },
          ],
          { free: true },
        ),
      ]),
      map('limits', [
        { key: 'drain', kind: 'duration', value: '30s' },
        { key: 'body', kind: 'size', value: '64Mi' },
        int('queue', 16),
      ]),
    ]),
    map('benchmarks', [
      map(
        'short',
        [
          { key: 'of', kind: 'reference', value: pick(random, names), required: true },
          map(
            'profile',
            [
              { key: 'kind', kind: 'name', value: 'concurrent', required: true },
              { key: 'streams', kind: 'list', value: '[1, 2]' },
            ],
            { required: true },
          ),
          int('maxTokens', 32),
          { key: 'stream', kind: 'switch', value: 'true' },
        ],
        { free: true },
      ),
    ]),
  ];
}
