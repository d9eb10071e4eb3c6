import { expect, test } from 'vitest';
import { localWorld } from '../../io/local-world.ts';
import type { World } from '../../io/world.ts';
import { modelUnits } from './units.ts';

/** A machine that is these files and these units that systemd has loaded; links may be empty. */
function machine(files: Readonly<Record<string, string>>, loaded: Readonly<Record<string, string>>): World {
  const base = localWorld();
  function namesIn(folder: string): string[] {
    const below = Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
    return [...new Set(below.map((path) => path.slice(folder.length + 1).split('/')[0] ?? ''))];
  }
  async function run(
    argv: readonly string[],
  ): Promise<{ code: number; signal: null; stdout: string; stderr: string }> {
    const user = argv.includes('--user');
    const names = Object.keys(loaded).filter((name) => !user && argv.some((one) => fits(one, name)));
    const stdout = argv.includes('list-units')
      ? names.map((name) => `${name} loaded ${loaded[name]} running x\n`).join('')
      : names.map((name) => `Id=${name}\nActiveState=${loaded[name]}\nUnitFileState=static\n`).join('\n');
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
