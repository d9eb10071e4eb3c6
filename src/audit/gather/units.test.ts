import { expect, test } from 'vitest';
import { localWorld } from '../../io/local-world.ts';
import type { World } from '../../io/world.ts';
import type { ObservedContainer } from '../../domain/audit/observation.ts';
import { Inspected, observed } from './containers.ts';
import { modelUnits } from './units.ts';

/** A machine that is these files and these units that systemd has loaded, which it knows by further names; links may be empty. */
function machine(
  files: Readonly<Record<string, string>>,
  loaded: Readonly<Record<string, string>>,
  further: Readonly<Record<string, string>> = {},
): World {
  const base = localWorld();
  function namesIn(folder: string): string[] {
    const below = Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
    return [...new Set(below.map((path) => path.slice(folder.length + 1).split('/')[0] ?? ''))];
  }
  async function run(
    argv: readonly string[],
  ): Promise<{ code: number; signal: null; stdout: string; stderr: string }> {
    const user = argv.includes('--user');
    const asked = argv.map((one) => further[one] ?? one);
    const names = Object.keys(loaded).filter((name) => !user && asked.some((one) => fits(one, name)));
    function allNames(name: string): string {
      return [...Object.keys(further).filter((one) => further[one] === name), name].join(' ');
    }
    const stdout = argv.includes('list-units')
      ? names.map((name) => `${name} loaded ${loaded[name]} running x\n`).join('')
      : names
          .map(
            (name) =>
              `Id=${name}\nNames=${allNames(name)}\nActiveState=${loaded[name]}\nUnitFileState=static\n`,
          )
          .join('\n');
    return { code: 0, signal: null, stdout, stderr: '' };
  }
  return {
    ...base,
    uid: 0,
    env: { HOME: '/root' },
    exec: { ...base.exec, run },
    files: {
      ...base.files,
      list: async (folder) => namesIn(folder),
      read: async (path) => files[path] ?? null,
    },
  };
}

function fits(pattern: string, name: string): boolean {
  const [before = '', after] = pattern.split('*');
  return after === undefined ? pattern === name : name.startsWith(before) && name.endsWith(after);
}

const etc = '/etc/systemd/system';

test('an instance of a template is a unit with what its name stands for put in; a template alone is none', async () => {
  const units = await modelUnits(
    machine(
      {
        [`${etc}/llama@.service`]:
          '[Service]\nEnvironmentFile=/etc/llama/%i.env\nExecStart=/usr/bin/llama-server -m /srv/%I.gguf --port ${PORT} --alias %i\n',
        [`${etc}/llama@.service.d/cache.conf`]: '[Service]\nNice=5\n',
        [`${etc}/multi-user.target.wants/llama@kimi.service`]: '',
        [`${etc}/llama@big-qwen.service.d/more.conf`]: '[Service]\nEnvironment=LLAMA_ARG_CTX_SIZE=4096\n',
        '/etc/llama/kimi.env': 'PORT=8081\n',
        '/etc/llama/big-qwen.env': 'PORT=8082\n',
      },
      { 'llama@big-qwen.service': 'active' },
    ),
  );
  expect(
    units
      .map(({ name, active, madeBy, starts, dropIns }) => ({
        name,
        active,
        madeBy,
        model: starts.model,
        port: starts.port,
        over: dropIns.map((path) => path.slice(etc.length + 1)),
      }))
      .toSorted((a, b) => a.name.localeCompare(b.name)),
  ).toEqual([
    {
      name: 'llama@big-qwen.service',
      active: 'active',
      madeBy: 'template',
      model: '/srv/big/qwen.gguf',
      port: 8082,
      over: ['llama@.service.d/cache.conf', 'llama@big-qwen.service.d/more.conf'],
    },
    {
      name: 'llama@kimi.service',
      active: 'unknown',
      madeBy: 'template',
      model: '/srv/kimi.gguf',
      port: 8081,
      over: ['llama@.service.d/cache.conf'],
    },
  ]);
});

test('a unit that starts a container has the server of its image, at the port that it publishes', async () => {
  const [unit, ...more] = await modelUnits(
    machine(
      {
        [`${etc}/vllm.service`]:
          '[Service]\nEnvironment=TAG=v0.11.0 HF_TOKEN=hf_1\nExecStartPre=-/usr/bin/docker rm -f vllm\nExecStart=/usr/bin/docker run --rm --name vllm --gpus all --ipc=host -v /srv/hf:/root/.cache -p 127.0.0.1:9000:8000 -e HF_TOKEN -e VLLM_API_KEY=sk-1 vllm/vllm-openai:${TAG} --model Qwen/Qwen3-8B --port 8000\n',
        [`${etc}/web.service`]: '[Service]\nExecStart=/usr/bin/docker run --rm -p 8080:80 nginx:1.27\n',
        [`${etc}/shell.service`]:
          '[Service]\nExecStart=/usr/bin/podman run --rm --entrypoint sleep vllm/vllm-openai:v0.11.0 infinity\n',
        [`${etc}/logs.service`]: '[Service]\nExecStart=/usr/bin/docker logs -f vllm\n',
      },
      { 'vllm.service': 'active' },
    ),
  );
  expect(more).toEqual([]);
  expect(unit).toMatchObject({
    name: 'vllm.service',
    madeBy: 'container-run',
    container: 'vllm',
    starts: { engine: 'vllm', model: 'Qwen/Qwen3-8B', host: '127.0.0.1', port: 9000, keyed: true },
  });
  expect(JSON.stringify(unit)).not.toContain('sk-1');
});

test('a ".container" file of podman is the unit that is made of it, at the port that it publishes', async () => {
  const folder = '/etc/containers/systemd';
  const units = await modelUnits(
    machine(
      {
        [`${folder}/chat.container`]:
          '[Container]\nImage=docker.io/vllm/vllm-openai:v0.11.0\nExec=--model Qwen/Qwen3-8B --port 8000\nPublishPort=127.0.0.1:9000:8000\n\n[Install]\nWantedBy=multi-user.target\n',
        [`${folder}/chat.container.d/more.conf`]: '[Container]\nEnvironment=VLLM_API_KEY=sk-1\n',
        [`${folder}/idle.container`]:
          '[Container]\nImage=ghcr.io/ggml-org/llama.cpp:server\nExec=-m /models/a.gguf\nNetwork=host\nContainerName=named\nServiceName=other\n',
        [`${folder}/web.container`]: '[Container]\nImage=docker.io/library/nginx:1.27\n',
        [`${folder}/each@.container`]: '[Container]\nImage=docker.io/vllm/vllm-openai:v0.11.0\n',
      },
      { 'chat.service': 'active' },
    ),
  );
  expect(
    units.map(({ name, path, active, enabled, madeBy, container, starts }) => ({
      name,
      container,
      path,
      active,
      enabled,
      madeBy,
      engine: starts.engine,
      at: `${starts.host}:${starts.port}`,
      keyed: starts.keyed,
    })),
  ).toEqual([
    {
      name: 'chat.service',
      container: 'systemd-chat',
      path: `${folder}/chat.container`,
      active: 'active',
      enabled: true,
      madeBy: 'quadlet',
      engine: 'vllm',
      at: '127.0.0.1:9000',
      keyed: true,
    },
    {
      name: 'other.service',
      container: 'named',
      path: `${folder}/idle.container`,
      active: 'unknown',
      enabled: false,
      madeBy: 'quadlet',
      engine: 'llama.cpp',
      at: 'null:null',
      keyed: false,
    },
  ]);
});

const llama = '[Service]\nExecStart=/usr/bin/llama-server -m /srv/kimi.gguf --port 8081\n';

test('a unit under a second name is one, by the name that systemd calls its own', async () => {
  const files = {
    [`${etc}/ai.service`]: llama,
    [`${etc}/kimi.service`]: `${llama}[Install]\nAlias=ai.service\n`,
  };
  const units = await modelUnits(
    machine(files, { 'kimi.service': 'active' }, { 'ai.service': 'kimi.service' }),
  );
  expect(units.map(({ name, path, active }) => ({ name, path, active }))).toEqual([
    { name: 'kimi.service', path: `${etc}/kimi.service`, active: 'active' },
  ]);
  // Two of one text are two all the same.
  const two = await modelUnits(machine(files, { 'kimi.service': 'active', 'ai.service': 'active' }));
  expect(two.map(({ name }) => name).toSorted()).toEqual(['ai.service', 'kimi.service']);
});

test('a unit that was started without a file of its own is read where systemd keeps it', async () => {
  const transient =
    '# This is a transient unit file.\n[Service]\nExecStart=\nExecStart="/usr/bin/llama-server" "-m" "/srv/a b.gguf" "--port" "8081"\n';
  const units = await modelUnits(
    machine({ '/run/systemd/transient/run-r1.service': transient }, { 'run-r1.service': 'active' }),
  );
  expect(units.map(({ name, active, starts }) => [name, active, starts.model, starts.port])).toEqual([
    ['run-r1.service', 'active', '/srv/a b.gguf', 8081],
  ]);
});

/** Containers of vLLM as their daemon tells of them. */
function vllm(name: string, host: Record<string, unknown>): ObservedContainer {
  const found = observed(
    Inspected.parse({
      Id: 'c0ffee'.padEnd(64, '0'),
      Name: `/${name}`,
      Path: 'vllm',
      Args: ['serve', 'org/m', '--port', '8000'],
      State: { Status: 'running', Running: true },
      Config: { Image: 'vllm/vllm-openai:v0.11.0' },
      HostConfig: host,
    }),
    'docker',
  );
  if (!found) throw new Error('It is no model server.');
  return found;
}

test.each([
  ['/usr/bin/docker start -a chat', 'chat.service 127.0.0.1:9000'],
  [
    '/usr/bin/sudo /usr/bin/docker --log-level warn container start --attach chat',
    'chat.service 127.0.0.1:9000',
  ],
  ['/usr/bin/docker start -i --detach-keys ctrl-x chat', 'chat.service 127.0.0.1:9000'],
  ['/usr/bin/docker start -a c0ffee000000', 'chat.service 127.0.0.1:9000'],
  ['/usr/bin/docker start -a shared', 'shared.service null:8000'],
  ['/usr/bin/docker start -a chat shared', 'none'],
  ['/usr/bin/docker start -a other', 'none'],
  ['/usr/bin/docker logs start chat', 'none'],
  ['/usr/bin/podman start -a chat', 'none'],
])('a unit that runs %s has the server of that container: %s', async (line, wanted) => {
  const containers = [
    vllm('chat', {
      PortBindings: {
        '9400/tcp': [{ HostPort: '9400' }],
        '8000/tcp': [{ HostIp: '127.0.0.1', HostPort: '9000' }],
      },
    }),
    vllm('shared', { NetworkMode: 'host' }),
  ];
  const name = wanted.split(' ')[0] ?? '';
  const units = await modelUnits(
    machine(
      { [`${etc}/${wanted === 'none' ? 'x.service' : name}`]: `[Service]\nExecStart=${line}\n` },
      { [name]: 'active' },
    ),
    async () => containers,
  );
  const found = units.map(({ starts, ...unit }) => `${unit.name} ${starts.host}:${starts.port}`);
  expect(found.join() || 'none').toBe(wanted);
  expect(units.map((one) => [one.madeBy, `${one.container}.service`])).toEqual(
    wanted === 'none' ? [] : [['container-run', name]],
  );
});

test('a machine is asked for its containers only where a unit starts one that is there', async () => {
  let asked = 0;
  async function containers(): Promise<ObservedContainer[]> {
    asked += 1;
    return [];
  }
  await modelUnits(machine({ [`${etc}/kimi.service`]: llama }, {}), containers);
  expect(asked).toBe(0);
});

test('a unit that gives its program a name of its own starts that program', async () => {
  const line = '@/usr/bin/llama-server kimi -m /srv/kimi.gguf --port 8081';
  const [unit] = await modelUnits(machine({ [`${etc}/kimi.service`]: `[Service]\nExecStart=${line}\n` }, {}));
  expect(unit?.starts).toMatchObject({ engine: 'llama.cpp', model: '/srv/kimi.gguf', port: 8081 });
  expect(unit?.starts.command).not.toContain('kimi');
});

test('secrets of a definition are told by name, those of a closed file, a path or a specifier are not', async () => {
  const [unit] = await modelUnits(
    machine(
      {
        [`${etc}/llm.service`]: [
          '[Service]',
          'Environment=HF_TOKEN=old',
          'Environment=',
          'Environment="HF_TOKEN=hf_abc" LLAMA_ARG_PORT=8081 LLAMA_API_KEY=%d/key EOS_TOKEN=x',
          'EnvironmentFile=/etc/llm.env',
          'ExecStart=/usr/bin/env OPENAI_API_KEY=sk-1 VLLM_API_KEY=${KEY} /usr/bin/llama-server -m /m.gguf',
        ].join('\n'),
        [`${etc}/llm.service.d/key.conf`]: '[Service]\nEnvironment=AUTH_TOKEN=abc\n',
        '/etc/llm.env': 'MASTER_KEY=hidden\nKEY=hidden\n',
      },
      { 'llm.service': 'active' },
    ),
  );
  expect(unit?.secretVariables).toEqual(['HF_TOKEN', 'AUTH_TOKEN', 'OPENAI_API_KEY']);
});

test('a file of variables with a secret is told where every user can read it, others are not', async () => {
  const files = {
    [`${etc}/llm.service`]: [
      '[Service]',
      'EnvironmentFile=-/etc/gone.env',
      'EnvironmentFile=/etc/open.env',
      'EnvironmentFile=/etc/closed.env',
      'EnvironmentFile=/etc/plain.env',
      'EnvironmentFile=/root/hidden.env',
      'ExecStart=/usr/bin/llama-server -m /m.gguf',
    ].join('\n'),
    '/etc/open.env': '# of the hub\nHF_TOKEN="hf_abc"\nLLAMA_ARG_PORT=8081\n',
    '/etc/closed.env': 'LLAMA_API_KEY=abc\n',
    '/etc/plain.env': 'LLAMA_ARG_CTX_SIZE=4096\nHF_TOKEN=\nEOS_TOKEN=x\n',
    '/root/hidden.env': 'HF_TOKEN=hf_abc\n',
  };
  const modes: Readonly<Record<string, number>> = { '/etc/closed.env': 0o600, '/root': 0o700 };
  const world = machine(files, { 'llm.service': 'active' });
  const own = await world.files.stat('/');
  async function stat(path: string): ReturnType<World['files']['stat']> {
    const mode = modes[path] ?? (path in files ? 0o644 : 0o755);
    return own && { ...own, isFile: path in files, mode };
  }
  const [unit] = await modelUnits({ ...world, files: { ...world.files, stat } });
  expect(unit?.openSecrets).toEqual(['/etc/open.env']);
  expect(unit?.starts.port).toBe(8081);
});

test('a llama-server whose file of variables cannot be read may have a model of its own', async () => {
  const exec = 'ExecStart=/usr/bin/llama-server --port 8080';
  async function engineWith(line: string, files: Record<string, string>): Promise<string | undefined> {
    const text = ['[Service]', line, exec].join('\n');
    const units = await modelUnits(
      machine({ [`${etc}/llm.service`]: text, ...files }, { 'llm.service': 'active' }),
    );
    return units[0]?.starts.engine;
  }
  expect(await engineWith('EnvironmentFile=/etc/llm.env', {})).toBe('llama.cpp');
  expect(await engineWith('EnvironmentFile=/etc/llm.env', { '/etc/llm.env': 'A=b\n' })).toBe('llama-router');
});
