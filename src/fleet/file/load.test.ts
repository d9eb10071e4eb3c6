import { expect, test } from 'vitest';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { localWorld } from '../../io/local-world.ts';
import { loadFleet } from './load.ts';
import type { LoadedFleet } from './resolve.ts';

const toy = 'models: {toy: {source: ./toy.gguf}}';

/** Loads files that exist only here. */
async function load(files: Record<string, string>, env: Record<string, string> = {}): Promise<LoadedFleet> {
  const world = localWorld();
  const names = Object.keys(files);
  async function read(path: string): Promise<string | null> {
    return files[path] ?? null;
  }
  async function stat(path: string): ReturnType<typeof world.files.stat> {
    const text = files[path];
    return text === undefined ? null : { size: text.length, isFile: true, mtimeMs: 0, id: '1:1' };
  }
  return loadFleet(
    { ...world, env, files: { ...world.files, read, stat } },
    { files: names.slice(0, 1), cwd: '/fleet' },
  );
}

async function faults(text: string, env: Record<string, string> = {}): Promise<string[]> {
  try {
    await load({ '/fleet/berth.yaml': text }, env);
    return [];
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    const found = (error as BerthError<'CONFIG_INVALID'>).facts.faults;
    return found.map((one) => `${one.line}:${one.column} ${one.path}: ${one.message} ${one.cure}`);
  }
}

test('paths count from the file they stand in, imports lie below the file that names them', async () => {
  const loaded = await load({
    '/fleet/berth.yaml':
      'imports: [shared/base.yaml]\nfleet: top\ndeployments: {a: {model: toy, engine: {kind: embedded, slots: 3}}}',
    '/fleet/shared/base.yaml': `version: 1\nfleet: base\n${toy}\ndeployments: {a: {engine: {kind: embedded, slots: 2, context: 1024}}}`,
  });
  expect(loaded.fleet).toBe('top');
  expect(loaded.files.map((file) => file.path)).toEqual(['/fleet/shared/base.yaml', '/fleet/berth.yaml']);
  expect(loaded.deployments[0]?.model?.path).toBe('/fleet/shared/toy.gguf');
  expect(loaded.deployments[0]?.declared).toMatchObject({ 'engine.slots': 3, 'engine.context': 1024 });
});

test('null takes away what lies below, and imports do not change which fleet it is', async () => {
  const base = `version: 1\nfleet: base\n${toy}\ndefaults: {model: toy, engine: {kind: embedded, threads: 2}}\ndeployments: {a: {}, b: {}}`;
  const alone = await load({ '/fleet/berth.yaml': base });
  const over = await load({
    '/fleet/berth.yaml': 'imports: [base.yaml]\ndeployments: {a: ~, b: {engine: {threads: null}}}',
    '/fleet/base.yaml': base,
  });
  expect(over.deployments.map((one) => one.name)).toEqual(['b']);
  expect(over.deployments[0]?.declared).not.toHaveProperty('engine.threads');
  expect(over.fleetId).toBe(alone.fleetId);
});

test('a file that imports itself is told, not followed', async () => {
  expect(await faults('version: 1\nfleet: lab\nimports: [berth.yaml]')).toEqual([
    '3:11 imports.0: This file imports itself, over others or at once. Remove it.',
  ]);
});

test('defaults fill deployments, and a fault in them is told once, where they stand', async () => {
  const text = `version: 1
fleet: lab
${toy}
defaults:
  model: toy
  engine: {kind: embedded, slots: none}
deployments: {a: {}, b: {}, c: {engine: {kind: command, command: [x]}}}`;
  expect(await faults(text)).toEqual([
    '6:35 defaults.engine.slots: "none" is not allowed here. Write a whole number from 1 to 256.',
  ]);
});

async function runtimeOf(own: string): Promise<unknown> {
  const loaded = await load({
    '/fleet/berth.yaml': `version: 1
fleet: lab
hosts: {k: {kubernetes: {context: k}}}
models: {h: {source: "hf://a/b"}}
defaults: {host: k, model: h, engine: {kind: vllm}, target: {kind: kserve, runtime: {create: made}}}
deployments: {a: {target: {runtime: ${own}}}}`,
  });
  return loaded.deployments[0]?.target['runtime'];
}

test('a runtime that a deployment names takes the place of the one that the defaults make', async () => {
  expect(await runtimeOf('{use: there}')).toEqual({ use: 'there' });
  expect(await runtimeOf('{create: null, use: there}')).toEqual({ use: 'there' });
  expect(await runtimeOf('{create: other}')).toEqual({ create: 'other' });
});

test('two deployments on one port, a reserved one and one that the gateway has are told by their lines', async () => {
  const text = `version: 1
fleet: lab
hosts: {box: {reserve: [8082]}}
${toy}
defaults: {model: toy, engine: {kind: embedded}}
deployments:
  a: {port: 8081}
  b: {port: 8081}
  c: {port: 8082}
  d: {port: 8484}
gateway: {listen: ["127.0.0.1:8484"]}`;
  expect((await faults(text)).map((line) => line.split(' ')[0])).toEqual(['8:13', '9:13', '10:13']);
});

test('a key that is the beginning of one alone is told with that one', async () => {
  const text = `version: 1
fleet: lab
deployments: {a: {engine: {kind: command, command: [x], health: /up}}}`;
  expect(await faults(text)).toEqual([
    '3:57 deployments.a.engine.health: Unknown key "health". Did you mean "healthPath"?',
  ]);
});

test('where another shape is written, the fault says which one is wanted', async () => {
  const text = `version: 1
fleet: My lab
hosts: {box: local}
${toy}
gateway: {listen: "0.0.0.0:8080"}`;
  const [name, host, listen] = await faults(text);
  expect(name).toMatch(/^2:8 fleet: "My lab" cannot be a name\. A name has lower-case letters, digits/);
  expect(host).toMatch(/^3:14 hosts\.box: "local" is not allowed here\. .* of local, .*ssh/);
  expect(listen).toBe(
    '5:19 gateway.listen: "0.0.0.0:8080" is not allowed here. Write a list such as ["127.0.0.1:8484"].',
  );
});

test('a gateway that others can reach needs a key', async () => {
  const text = `version: 1\nfleet: lab\ngateway:\n  listen: ["0.0.0.0:8484"]`;
  expect(await faults(text)).toHaveLength(1);
  const keyed = `${text}\n  keys: {me: "\${env:KEY}"}`;
  expect(await faults(keyed, { KEY: 'x' })).toEqual([]);
  expect(await faults(keyed)).toEqual([
    '5:14 gateway.keys.me: The environment variable KEY is not set. Set KEY before you run berth.',
  ]);
});

test('a secret that was written into the file is not repeated', async () => {
  const found = await faults(`version: 1
fleet: lab
deployments: {a: {engine: {kind: openai, url: "http://me:hidden@box", key: sk-hidden}}}
gateway: {keys: {me: sk-hidden}}`);
  expect(found.map((line) => line.split(' ')[0])).toEqual(['3:47', '3:76', '4:22']);
  expect(found.join()).not.toContain('hidden');
});

test('an alias within what it repeats is a fault at its place', async () => {
  expect(await faults('version: 1\nfleet: lab\nmodels: &all {toy: *all}')).toContainEqual(
    expect.stringMatching(/^3:20 .*stands within what it repeats/),
  );
});

test('a folder named as the file is told as one', async () => {
  await expect(loadFleet(localWorld(), { files: ['/tmp'], cwd: '/' })).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    facts: { reason: 'it is a folder' },
  });
});

test('a file of a secret that is missing or empty is told at its place', async () => {
  const text = `version: 1
fleet: lab
gateway:
  keys: {a: "\${file:a.key}", b: "\${file:/far/b.key}", c: "\${file:c.key}"}`;
  const files = { '/fleet/berth.yaml': text, '/fleet/a.key': 'x', '/fleet/c.key': '' };
  await expect(load(files)).rejects.toMatchObject({
    facts: {
      faults: [
        { line: 4, path: 'gateway.keys.b', message: 'There is no file /far/b.key.' },
        { line: 4, path: 'gateway.keys.c', message: 'The file /fleet/c.key is empty.' },
      ],
    },
  });
});

test('a reference to a secret is refused where an engine would get it as it is written', async () => {
  const text = `version: 1
fleet: lab
defaults: {engine: {kind: command, env: {TOKEN: "\${env:TOKEN}"}}}
deployments:
  a: {engine: {command: [serve, "--key=\${env:TOKEN}", "\${file:/etc/key}", "\${HOME}"]}}`;
  const found = await faults(text, { TOKEN: 'x' });
  expect(found.map((line) => line.split(' ')[0])).toEqual(['3:49', '5:33', '5:55']);
  for (const line of found) expect(line).toContain('No secret is filled in here.');
});

test('who only looks or stops needs no secret', async () => {
  const text = `version: 1\nfleet: lab\ngateway: {keys: {me: "\${env:KEY}", you: "\${file:/no/such.key}"}}`;
  const world = localWorld();
  const loaded = await loadFleet(
    {
      ...world,
      env: {},
      files: { ...world.files, read: async (path: string) => (path.endsWith('.json') ? null : text) },
    },
    { files: ['berth.yaml'], cwd: '/fleet', secrets: 'unused' },
  );
  expect(loaded.fleet).toBe('lab');
});

test('what is written in another place here is told with that place, and a misspelt key of a union with what it is', async () => {
  const text = `version: 1
fleet: lab
models: {m: {source: ./m.gguf}}
gateway: {limits: {a: {rps: 5}, idel: 5s}}
deployments: {a: {model: m, engine: {kind: embedded}, target: {kind: docker, cpus: 4}}}`;
  const found = await faults(text);
  expect(found.map((line) => line.split(' ')[0])).toEqual(['4:20', '4:33', '5:78']);
  expect(found[0]).toContain('deployments.a.limits: {rps: 5}');
  expect(found[1]).toContain('Did you mean "idle"?');
  expect(found[2]).toContain('resources: {requests');
});

test('the name of a secret stands for its reference wherever one is wanted', async () => {
  const loaded = await load(
    {
      '/fleet/berth.yaml': `version: 1
fleet: lab
secrets: {hub: "\${env:HF_TOKEN}", store: "\${file:./redis}", far: "\${env:FAR_KEY}", spare: "\${env:SPARE}"}
models: {m: {source: "hf://a/b", secret: hub}}
gateway: {keys: {me: far}, limits: {shared: store}}
deployments:
  a: {model: m, engine: {kind: llama.cpp}}
  b: {engine: {kind: openai, url: "https://models.example/v1", key: far}}`,
      '/fleet/redis': 'redis://10.0.0.5:6379',
    },
    { HF_TOKEN: 'x', FAR_KEY: 'y' },
  );
  expect(loaded.models['m']?.secret).toEqual({ env: 'HF_TOKEN' });
  expect(loaded.gateway.keys).toEqual({ me: { env: 'FAR_KEY' } });
  expect(loaded.gateway.limits.shared).toEqual({ file: '/fleet/redis' });
  expect(loaded.deployments[1]?.engine).toMatchObject({ key: { env: 'FAR_KEY' } });
  // Engines are given none of them, used or not.
  expect(loaded.withheld).toEqual(['FAR_KEY', 'HF_TOKEN', 'SPARE']);
});

test('a name that the table of secrets lacks could be a secret, and is not repeated', async () => {
  const found = await faults(`version: 1
fleet: lab
secrets: {hub: "\${env:HF_TOKEN}", plain: hf_abc}
models: {m: {source: "hf://a/b", secret: hf_secret}}
deployments: {a: {model: m, engine: {kind: embedded}}}`);
  expect(found.map((line) => line.split(/[ :]+/)[2])).toEqual(['secrets.plain', 'models.m.secret']);
  for (const line of found) expect(line).not.toMatch(/hf_/);
});

test('a host is this machine, another one or a cluster', async () => {
  const found = await faults(`version: 1
fleet: lab
hosts: {a: {local: true, ssh: me@far}, b: {ssh: me@far, become: sudo}, c: {ssh: "-oProxyCommand=x"}}`);
  expect(found).toHaveLength(2);
  expect(found[0]).toContain('A host is reached in one way.');
  expect(found.join()).toContain('hosts.c.ssh');
});

test('an address in place of a path is of a kind that can be fetched', async () => {
  const text = `version: 1
fleet: lab
models: {m: {source: "hf://a/b"}, s: {source: "s3://models/b"}, w: {source: "https://h/b.gguf"}, f: {source: "ftp://a/b"}, p: {source: "pvc://a/b"}}
deployments: {a: {model: m, engine: {kind: embedded}}}`;
  const found = await faults(text);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain('Models from ftp:// are not supported yet.');
});

test('a cluster runs what is made for one, and has its own places of models and its own ports', async () => {
  const text = `version: 1
fleet: lab
hosts: {k: {kubernetes: {context: k3s}}, box: {local: true}}
models: {m: {source: ./m.gguf, at: {k: {hostPath: /srv, node: n1}}}, p: {source: "pvc://claim/m.gguf"}}
deployments:
  a: {model: m, host: k, port: 8080, replicas: 2, engine: {kind: llama.cpp}}
  b: {model: p, host: k, port: 8080, engine: {kind: llama.cpp}}`;
  expect(await faults(text)).toEqual([]);
  const wrong = `${text}
  c: {model: m, host: k, load: on-demand, engine: {kind: llama.cpp}, target: {kind: systemd}}
  d: {model: p, host: box, engine: {kind: llama.cpp}, target: {kind: kubernetes}}`;
  const found = await faults(wrong);
  expect(found).toHaveLength(4);
  expect(found[0]).toContain('Engines of a cluster are not started on demand yet.');
  expect(found[1]).toContain(
    'Host k is a cluster, where the target systemd does not run. Name one of: kubernetes',
  );
  expect(found[2]).toContain('Its files lie in a claim of a cluster, and host box is a machine.');
  expect(found[3]).toContain('Host box is a machine, where the target kubernetes does not run.');
  const loaded = await load({ '/fleet/berth.yaml': text });
  expect(loaded.deployments.map(({ model, target }) => [model?.path, model?.node, target.kind])).toEqual([
    ['/srv/m.gguf', 'n1', 'kubernetes'],
    ['pvc://claim/m.gguf', undefined, 'kubernetes'],
  ]);
});

test('faults of syntax are told with their place', async () => {
  const found = await faults('version: 1\nfleet: [lab\nmodels: }');
  expect(found[0]).toMatch(/^\d+:\d+ : Not YAML: /);
});

test('what is missing, too short or too much is told in plain words', async () => {
  expect(await faults('fleet: lab')).toEqual(['1:1 : "version" is missing. Add version: 1.']);
  expect(
    await faults('version: 1\nfleet: lab\ndeployments: {a: {engine: {kind: command, command: []}}}'),
  ).toEqual([
    '3:52 deployments.a.engine.command: An empty list is not allowed here. Write at least one entry.',
  ]);
  const [second] = await faults('version: 1\nfleet: lab\n---\nversion: 1');
  expect(second).toMatch(/^3:1 : A second YAML document begins here\. .*imports\.$/);
});

test('without any file the places that were looked at are named', async () => {
  const world = localWorld();
  const empty = { ...world, files: { ...world.files, stat: async () => null } };
  await expect(loadFleet(empty, { files: [], cwd: '/fleet' })).rejects.toThrow('/fleet/berth.yaml');
});

test('limits are shared through a Redis whose password lies elsewhere', async () => {
  function text(url: string): string {
    return `version: 1\nfleet: a\ngateway: {limits: {eachKey: {rpm: 1}, shared: "${url}"}}`;
  }
  expect(await faults(text('redis://box:6379/2'))).toEqual([]);
  expect(await faults(text('${env:REDIS_URL}'), { REDIS_URL: 'redis://:p@box' })).toEqual([]);
  expect(await faults(text('redis://:secret@box'))).toEqual([expect.not.stringContaining('secret@')]);
  expect(await faults(text('${env:REDIS_URL}'))).toEqual([expect.stringContaining('REDIS_URL is not set')]);
});

test('limits and prices name models that can be asked for, and budgets in money need a price', async () => {
  const text = [
    'version: 1',
    'fleet: a',
    toy,
    'deployments: {small: {model: toy, engine: {kind: embedded}}}',
    'gateway:',
    '  routes: {chat: {to: small, aliases: [gpt]}}',
    '  limits:',
    '    eachKey: {rpm: 60, budget: {day: {usd: 2}, month: {}}}',
    '    models:',
    '      small: {tpm: 1000}',
    '      gpt: {rpm: 1}',
    '      caht: {rpm: 0}',
  ].join('\n');
  expect(await faults(text)).toEqual([
    expect.stringMatching(/^8:39 .*budget\.day\.usd: A budget in money is never spent/),
    expect.stringMatching(/^8:55 .*budget\.month: It bounds nothing\. Set tokens, usd, or both\./),
    expect.stringMatching(/^11:7 .*"gpt" is an alias of "chat"/),
    expect.stringMatching(/^12:7 .*caht.*chat/),
    expect.stringMatching(/^12:19 .*models\.caht\.rpm/),
  ]);
  const good = `${text.split('\n').slice(0, 10).join('\n').replace(', month: {}', '')}\n  prices: {chat: {input: 1, output: 2}}`;
  expect(await faults(good)).toEqual([]);
});

test('more that is kept than may be taken is told where it stands, across files and defaults', async () => {
  const start = `version: 1\nfleet: base\n${toy}\ndefaults: {model: toy, engine: {kind: embedded}, resources: {requests: {cpu: 2, memory: 6Gi}}}\ndeployments:\n`;
  expect(await faults(`${start}  a: {resources: {limits: {cpu: 2, memory: 6Gi}}}\n`)).toEqual([]);
  const found = await faults(
    `${start}  a: {resources: {requests: {memory: 3Gi}, limits: {memory: 2048Mi, cpu: 500m}}}\n`,
  );
  expect(found).toEqual([
    expect.stringContaining('resources.requests.cpu: More cpu is kept for it than it may take'),
    expect.stringContaining('resources.requests.memory: More memory is kept for it than it may take'),
  ]);
  expect(found[1]).toMatch(/^6:38 /);
});

test('the cure of a text in the wrong form names the form, and a right word in the wrong place is shown in its place', async () => {
  const found = await faults(`version: "1"
fleet: lab
models: {m: {source: ./m.gguf}}
hosts: {k: {kubernetes: {namespace: Bad_NS}}}
deployments:
  a: {model: m, target: docker, engine: {kind: vllm, version: latest}}
  b: {model: m, host: k, engine: {kind: llama.cpp, build: b6000x}}`);
  const cures = found.map((one) => one.replace(/^\S+ /, ''));
  expect(cures).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^version: .* Write 1, without quotation marks\.$/),
      expect.stringMatching(/^hosts\.k\.kubernetes\.namespace: .* Write text of the form \/.+\/\.$/),
      expect.stringMatching(/^deployments\.a\.target: .* Write \{kind: docker\}\.$/),
      expect.stringMatching(/^deployments\.b\.engine\.build: .* Write text( such as|.* of the form) /),
    ]),
  );
});
