import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { takeOver } from '../support/take-over.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(() => place.close());

const llamaSwap = `healthCheckTimeout: 300
startPort: 10001
globalTTL: 600
macros:
  models: /srv/models
  server: llama-server --port \${PORT} --host 127.0.0.1
apiKeys:
  - sk-very-secret-1
  - "\${env.TEAM_KEY}"
models:
  "Qwen3-8B":
    # the everyday one
    cmd: |
      # runs on the processor
      \${server}
      -m \${models}/qwen3-8b.Q4_K_M.gguf
      -c 16384 --parallel 2 -ngl 99 --jinja
    ttl: 120
    aliases:
      - gpt-4o-mini
      - {id: default, unlisted: true}
    env: ["CUDA_VISIBLE_DEVICES=0", "HF_TOKEN=hf_abc"]
    filters: {stripParams: temperature}
  coder:
    cmd: \${server} --api-key sk-hidden --model coder.gguf --ctx-size 8192 --mmproj /srv/models/eyes.gguf
    useModelName: coder-7b
    unlisted: true
  whisper:
    cmd: /opt/whisper/server --port 9001 --model base.en
    proxy: http://127.0.0.1:9001
    checkEndpoint: /ready
    ttl: 0
    concurrencyLimit: 1
    cmdStop: pkill whisper
matrix:
  vars: {q: Qwen3-8B, c: coder, w: whisper}
  evict_costs: {q: 5}
  sets:
    talk: "(q | c) & w"
    all: "+talk"
peers:
  box:
    proxy: http://192.168.1.20:8080
    apiKey: sk-peer-secret
    models: ["org/large-70b"]
hooks: {on_startup: {preload: [coder]}}
`;

test('a file of llama-swap becomes a fleet whose models are on demand', async () => {
  const { made, left, text } = await takeOver(place, llamaSwap);
  expect(made.models).toEqual({
    'qwen3-8b': { source: '/srv/models/qwen3-8b.Q4_K_M.gguf' },
    coder: { source: join(place.folder, 'coder.gguf'), mmproj: '/srv/models/eyes.gguf' },
  });
  expect(made.deployments['qwen3-8b']).toEqual({
    model: 'qwen3-8b',
    load: 'on-demand',
    ttl: '120s',
    engine: {
      kind: 'llama.cpp',
      context: 8192,
      slots: 2,
      gpuLayers: 99,
      jinja: true,
      env: { CUDA_VISIBLE_DEVICES: '0' },
      startTimeout: '300s',
    },
  });
  expect(made.deployments['coder']).toMatchObject({
    ttl: '600s',
    engine: { context: 8192, alias: 'coder-7b' },
  });
  expect(made.deployments['whisper']).toEqual({
    load: 'on-demand',
    ttl: '0s',
    port: 9001,
    engine: {
      kind: 'command',
      command: ['/opt/whisper/server', '--port', '{port}', '--model', 'base.en'],
      workdir: place.folder,
      healthPath: '/ready',
      slots: 1,
      startTimeout: '300s',
    },
  });
  expect(made.deployments['org-large-70b']).toEqual({
    engine: {
      kind: 'openai',
      url: 'http://192.168.1.20:8080',
      key: '${env:BOX_KEY}',
      servedModel: 'org/large-70b',
    },
  });
  expect(made.gateway).toEqual({
    routes: {
      'Qwen3-8B': { to: 'qwen3-8b', aliases: ['gpt-4o-mini', 'default'] },
      'org/large-70b': { to: 'org-large-70b', aliases: ['box/org/large-70b'] },
    },
    keys: { 'client-1': '${env:BERTH_KEY_1}', 'client-2': '${env:TEAM_KEY}' },
    onDemand: {
      sets: [
        ['qwen3-8b', 'whisper'],
        ['coder', 'whisper'],
      ],
    },
  });
  for (const secret of ['sk-very-secret-1', 'hf_abc', 'sk-hidden', 'sk-peer-secret'])
    expect(text).not.toContain(secret);
  const lines = llamaSwap.split('\n');
  expect(left.map((one) => one.path)).toEqual(
    expect.arrayContaining([
      'startPort',
      'hooks',
      'apiKeys.0',
      'models.Qwen3-8B.aliases.1.unlisted',
      'models.Qwen3-8B.filters',
      'models.Qwen3-8B.env.1',
      'models.coder.cmd',
      'models.coder.unlisted',
      'models.whisper.cmdStop',
      'matrix.evict_costs',
      'peers.box.apiKey',
    ]),
  );
  expect(left.find((one) => one.path === 'models.Qwen3-8B.filters')?.line).toBe(
    lines.findIndex((line) => line.includes('filters:')) + 1,
  );
});

test.each([
  [
    'a matrix',
    `use: matrix
    settings:
      groups: {ignored: {members: [a-1, b]}}
      matrix:
        vars: {v: voice.x}
        evict_costs: {v: 50}
        sets: {one: "(a-1 | b) & v"}`,
    [
      ['a-1', 'voice.x'],
      ['b', 'voice.x'],
    ],
    ['routing.router.settings.matrix.evict_costs', 'routing.scheduler'],
  ],
  [
    'groups',
    `settings:
      groups: {both: {swap: false, members: [a-1, b]}}`,
    [['a-1', 'b'], ['voice.x']],
    ['routing.scheduler'],
  ],
])(
  'what newer files of llama-swap say under routing becomes sets too: %s',
  async (_, router, sets, paths) => {
    const { made, left } = await takeOver(
      place,
      `models:
  a-1: {cmd: "llama-server --port \${PORT} -m a.gguf -c 4096"}
  b: {cmd: "llama-server --port \${PORT} -m b.gguf -c 4096"}
  voice.x: {cmd: "llama-server --port \${PORT} -m c.gguf -c 4096"}
routing:
  router:
    ${router}
  scheduler: {use: fifo}
`,
    );
    expect(made.gateway).toEqual({ onDemand: { sets } });
    expect(left.map(({ path }) => path).toSorted()).toEqual(paths);
  },
);

test('a model that several peers of llama-swap have, or one that is here too, is reached at each by the name with the peer', async () => {
  const { made } = await takeOver(
    place,
    `models:
  small: {cmd: "llama-server --port \${PORT} -m /m.gguf -c 4096"}
peers:
  one: {proxy: "http://one:8080", models: [small, large]}
  two: {proxy: "http://two:8080", models: [large]}
`,
  );
  function urlOf(name: string): unknown {
    return (made.deployments[name]?.['engine'] as { url?: string } | undefined)?.url;
  }
  expect(['small', 'small-2', 'large', 'large-2'].map(urlOf)).toEqual([
    undefined,
    'http://one:8080',
    'http://one:8080',
    'http://two:8080',
  ]);
  expect(made.gateway?.['routes']).toEqual({
    'one/small': 'small-2',
    large: { to: 'large', aliases: ['one/large'] },
    'two/large': 'large-2',
  });
});

test('groups of llama-swap become sets of what may run together', async () => {
  const cmd = 'llama-server --port ${PORT} -m /m.gguf -c 4096';
  const { made, left } = await takeOver(
    place,
    `models:
  a: {cmd: "${cmd}", concurrencyLimit: 7}
  b: {cmd: "${cmd}"}
  c: {cmd: "${cmd}"}
  tiny: {cmd: "${cmd}"}
groups:
  big: {swap: true, exclusive: true, members: [a, b]}
  small: {swap: false, exclusive: true, members: [c]}
  ever: {swap: false, exclusive: false, persistent: true, members: [tiny]}
`,
  );
  expect(made.gateway?.['onDemand']).toEqual({
    sets: [['tiny'], ['a', 'tiny'], ['b', 'tiny'], ['c', 'tiny']],
  });
  expect(left.map((one) => one.path)).toEqual(['models.a.concurrencyLimit']);
});

test('a llama-server that fetches its model becomes options with that source; one that stays a command says so', async () => {
  const { made, left } = await takeOver(
    place,
    `models:
  gemma: {cmd: "llama-server --port \${PORT} -hf ggml-org/gemma-3-1b-it-GGUF:Q4_K_M -c 8192 -ngl 99 --parallel 2"}
  file: {cmd: "llama-server --port \${PORT} --hf-repo=a/b --hf-file=x.gguf -c 4096"}
  plain: {cmd: "llama-server --port \${PORT} -hf a/b -c 4096"}
  draft: {cmd: "llama-server --port \${PORT} -m /m.gguf -md /d.gguf -c 4096"}
  other: {cmd: "llama-server --port \${PORT} --docker-repo ai/smollm2"}
`,
  );
  expect(made.models).toMatchObject({
    gemma: { source: 'hf://ggml-org/gemma-3-1b-it-GGUF:Q4_K_M' },
    file: { source: 'hf://a/b/x.gguf' },
    plain: { source: 'hf://a/b:Q4_K_M' },
  });
  expect(made.deployments['gemma']?.['engine']).toEqual({
    kind: 'llama.cpp',
    context: 4096,
    slots: 2,
    gpuLayers: 99,
    startTimeout: '120s',
  });
  expect(made.deployments['file']?.['engine']).not.toHaveProperty('args');
  expect(made.deployments['other']?.['engine']).toMatchObject({ kind: 'command' });
  function reasonsOf(name: string): string[] {
    return left.filter((one) => one.path === `models.${name}.cmd`).map((one) => one.reason);
  }
  expect(reasonsOf('gemma')).toEqual([]);
  expect(reasonsOf('plain')).toEqual([expect.stringContaining('no quantization')]);
  expect(reasonsOf('draft').join(' ')).not.toContain('default');
  expect(reasonsOf('other')).toContain('It stays a command: the options of llama.cpp cannot say all of it.');
});

test('what a model of llama-swap takes from elsewhere is told by its name', async () => {
  const { left } = await takeOver(
    place,
    `models:
  a:
    cmd: "llama-server --port \${PORT} -m /m.gguf -c 4096"
    env: ["TOKEN=\${env.HF_TOKEN}"]
    filters: {setParamsByID: {"a:high": {reasoning_effort: high}}}
`,
  );
  function reasonAt(path: string): string | undefined {
    return left.find((one) => one.path === path)?.reason;
  }
  expect(reasonAt('models.a.env.0')).toMatch(/HF_TOKEN.*export TOKEN in the shell/);
  expect(reasonAt('models.a.filters.setParamsByID.a:high')).toContain('a:high is no model here');
});

test('macros of llama-swap mean what they mean there: of several lines, in comments, within each other, and with values of the model', async () => {
  const { made, left } = await takeOver(
    place,
    `macros:
  server: >
    /opt/server
    --port \${PORT}
  context: 4096
  args: "--context \${context} --name \${MODEL_ID}"
  check: /ready
models:
  a:
    macros: {context: 16384, heat: 0.7}
    cmd: |
      # \${server} stands above
      \${server}
      \${args} --heat \${heat}
    checkEndpoint: \${check}/\${MODEL_ID}
    filters: {setParamsByID: {"\${MODEL_ID}": {top_k: 1}, "\${MODEL_ID}:high": {top_k: 2}}}
  b: {cmd: "\${server} \${args}"}
`,
  );
  function words(name: string): unknown {
    return (made.deployments[name]?.['engine'] as { command?: unknown } | undefined)?.command;
  }
  expect(words('a')).toEqual('/opt/server --port {port} --context 16384 --name a --heat 0.7'.split(' '));
  expect(words('b')).toEqual('/opt/server --port {port} --context 4096 --name b'.split(' '));
  expect(made.deployments['a']?.['engine']).toMatchObject({ healthPath: '/ready/a' });
  const variants = left.filter(({ path }) => path.includes('setParamsByID')).map(({ reason }) => reason);
  expect(variants).toEqual([expect.stringMatching(/^a:high is no model here/)]);
});

test('what a command of llama-swap names from its own folder is found there, or told', async () => {
  const { made, left } = await takeOver(
    place,
    `models:
  own: {cmd: "python3 server.py --port \${PORT} --model models/x.bin"}
  llama: {cmd: "llama-server --port \${PORT} -m m.gguf -c 4096 --ssl-key-file tls/k.pem --models-preset p.ini --log-prefix"}
`,
  );
  expect(made.deployments['own']?.['engine']).toMatchObject({ workdir: place.folder });
  expect(made.models?.['llama']).toEqual({ source: join(place.folder, 'm.gguf') });
  const told = left.filter(({ path }) => path === 'models.llama.cmd').map(({ reason }) => reason);
  expect(told).toEqual(
    ['tls/k.pem', 'p.ini'].map((word) => expect.stringContaining(join(place.folder, word))),
  );
});
