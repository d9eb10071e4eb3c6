import { expect, test } from 'vitest';
import { foldersInUse } from './in-use.ts';

const store = '/home/a/models/trees';
const [tiny, large, linked, local, unit, stopped, other] = [
  'hf--lab--tiny-0123456789',
  'hf--lab--large-abcdefabcd',
  'hf--lab--linked-1111111111',
  'hf--lab--local-2222222222',
  'hf--lab--unit-3333333333',
  'hf--lab--stopped-4444444444',
  'hf--lab--other-0000000000',
] as const;

const proc: Record<string, string> = {
  '7/cmdline': `llama-server\0-m\0${store}/${tiny}/m.gguf\0`,
  '8/cmdline': 'vllm\0serve\0/models\0',
  '8/mountinfo': `22 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 22 8:1 /home/a\\040b/models/trees/${large} /models ro - ext4 /dev/sda1 rw\n`,
  '9/cmdline': 'llama-server\0--model=/srv/best.gguf\0',
  '10/cmdline': 'llama-server\0-m\0mine.gguf\0',
};

/** Files by path: those of one id are one file. */
const ids: Record<string, string> = {
  [`${store}/${linked}/m.gguf`]: '8:1',
  '/srv/best.gguf': '8:1',
  [`${store}/${local}/m.gguf`]: '8:2',
  '/home/b/mine.gguf': '8:2',
  [`${store}/${stopped}/m.gguf`]: '8:4',
  '/home/b/weights/m.gguf': '8:4',
  [`${store}/${other}/m.gguf`]: '8:3',
};

const units: Record<string, string> = {
  '/home/a/.config/systemd/user/toy.service': `[Service]\nExecStart=llama-server -m ${store}/${unit}/m.gguf\n`,
  '/home/a/.config/systemd/user/notes.txt': `${store}/${other}`,
};

test('a model is in use by a command line, under any name, mounted into a container, by a unit, or by a container that does not run', async () => {
  const { folders: found } = await foldersInUse(
    {
      proc: {
        text: (path) => proc[path] ?? null,
        link: (path) => (path === '10/cwd' ? '/home/b' : null),
        names: () => ['7', '8', '9', '10', 'meminfo'],
      },
      files: {
        stat: async (path) => (ids[path] ? { id: ids[path], size: 1, isFile: true, mtimeMs: 0 } : null),
        read: async (path) => units[path] ?? null,
        list: async (path) =>
          Object.keys(units).flatMap((name) =>
            name.startsWith(`${path}/`) ? [name.slice(path.length + 1)] : [],
          ),
      },
      env: { HOME: '/home/a' },
      uid: 1000,
      containers: [
        {
          words: ['-m', '/models/m.gguf'],
          mounts: [{ from: '/home/b/weights', to: '/models' }],
          folder: '/',
        },
      ],
    },
    [tiny, large, linked, local, unit, stopped, other].map((folder) => ({
      folder,
      paths: [`${store}/${folder}/m.gguf`],
    })),
  );
  expect(found).toEqual(new Set([tiny, large, linked, local, unit, stopped]));
});

test('units of packages count, and what no rights are given for is told', async () => {
  const files: Record<string, string> = {
    '/usr/lib/systemd/system/toy@.service': `[Service]\nEnvironmentFile=/etc/toy/%i.env\n`,
    '/etc/toy/a.env': `LLAMA_ARG_MODEL=${store}/${tiny}/m.gguf`,
    '/usr/lib/systemd/system/other.service': '[Service]\nEnvironmentFile=-/etc/other/*.env\n',
    // What is called otherwise is none of its files.
    '/etc/systemd/system/named.service': '[Service]\nEnvironmentFile=/etc/named/%p.env\n',
    '/etc/named/named.env': `LLAMA_ARG_MODEL=${store}/${linked}/m.gguf`,
    '/etc/named/private.env': '',
    '/lib/systemd/system/one.service': '[Service]\nEnvironmentFile=-/etc/one\n',
  };
  const denied = Object.assign(new Error('denied'), { code: 'EACCES' });
  const closed = ['/etc/other', '/etc/one', '/run/systemd/transient'];
  function unlessClosed<T>(path: string, told: T): Promise<T> {
    return [...closed, '/etc/named/private.env'].includes(path)
      ? Promise.reject(denied)
      : Promise.resolve(told);
  }
  const found = await foldersInUse(
    {
      proc: { text: () => null, link: () => null, names: () => [] },
      files: {
        stat: async () => null,
        read: (path) => unlessClosed(path, files[path] ?? null),
        list: (path) =>
          unlessClosed(
            path,
            Object.keys(files).flatMap((name) =>
              name.startsWith(`${path}/`) ? [name.slice(path.length + 1)] : [],
            ),
          ),
      },
      env: { HOME: '/home/a' },
      uid: 1000,
      containers: [],
    },
    [tiny, linked, other].map((folder) => ({ folder, paths: [] })),
  );
  expect([...found.folders].toSorted()).toEqual([tiny, linked].toSorted());
  expect(found.unread).toEqual(closed.toSorted());
});

test("the home of the units of the system is root's, that of their programs their user's; a model there that cannot be looked at is told", async () => {
  const files: Record<string, string> = {
    '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nllm:x:7:7::/srv/llm:/bin/sh\n',
    '/etc/systemd/system/root.service': '[Service]\nEnvironmentFile=%h/toy.env\n',
    '/root/toy.env': `LLAMA_ARG_MODEL=${store}/${tiny}/m.gguf`,
    '/home/a/toy.env': `LLAMA_ARG_MODEL=${store}/${other}/m.gguf`,
    '/etc/systemd/system/llm.service':
      '[Service]\nUser=llm\nWorkingDirectory=~\nExecStart=llama-server -m m.gguf\n',
    '/etc/systemd/system/closed.service':
      '[Service]\nExecStart=llama-server -m %h/models/m.gguf --log-file /closed/log\n',
    '/home/a/.config/systemd/user/own.service': '[Service]\nExecStart=llama-server -m %h/mine.gguf\n',
  };
  const seen: Record<string, string> = {
    [`${store}/${stopped}/m.gguf`]: '8:4',
    '/srv/llm/m.gguf': '8:4',
    [`${store}/${local}/m.gguf`]: '8:5',
    '/home/a/mine.gguf': '8:5',
  };
  const found = await foldersInUse(
    {
      proc: { text: () => null, link: () => null, names: () => [] },
      files: {
        stat: async (path) => {
          if (/^\/(?:root\/models|closed)\//.test(path))
            throw Object.assign(new Error('denied'), { code: 'EACCES' });
          return seen[path] ? { id: seen[path], size: 1, isFile: true, mtimeMs: 0 } : null;
        },
        read: async (path) => files[path] ?? null,
        list: async (path) =>
          Object.keys(files).flatMap((name) =>
            name.startsWith(`${path}/`) ? [name.slice(path.length + 1)] : [],
          ),
      },
      env: { HOME: '/home/a' },
      uid: 1000,
      containers: [],
    },
    [tiny, local, stopped, other].map((folder) => ({ folder, paths: [`${store}/${folder}/m.gguf`] })),
  );
  expect([...found.folders].toSorted()).toEqual([tiny, local, stopped].toSorted());
  expect(found.unread).toEqual(['/root/models/m.gguf']);
});

test('drop-ins of a type, of a prefix and of an instance count with the unit that they change', async () => {
  const system = '/etc/systemd/system';
  const files: Record<string, string> = {
    [`${system}/service.d/all.conf`]: '[Service]\nEnvironmentFile=/etc/all/%p.env\n',
    '/etc/all/plain.env': `LLAMA_ARG_MODEL=${store}/${tiny}/m.gguf`,
    '/etc/all/nobody.env': `LLAMA_ARG_MODEL=${store}/${other}/m.gguf`,
    '/usr/lib/systemd/system/plain.service': '[Service]\nExecStart=llama-server\n',
    '/usr/lib/systemd/system/toy@.service': '[Service]\nWorkingDirectory=/srv/toy\n',
    [`${system}/toy@a.service.d/m.conf`]: '[Service]\nExecStart=llama-server -m m.gguf\n',
    '/usr/lib/systemd/system/llm-large.service': '[Service]\nWorkingDirectory=/srv/large\n',
    [`${system}/llm-.service.d/m.conf`]: '[Service]\nExecStart=llama-server -m l.gguf\n',
    '/usr/lib/systemd/system/template-b@.service': '[Service]\nExecStart=llama-server -m t.gguf\n',
    [`${system}/template-b@x.service.d/w.conf`]: '[Service]\nWorkingDirectory=/srv/template\n',
    '/etc/containers/systemd/container.d/v.conf': '[Container]\nVolume=/srv/box:/models\n',
    '/etc/containers/systemd/box.container': '[Container]\nExec=-m /models/b.gguf\n',
  };
  const seen = Object.fromEntries(
    [
      [stopped, '/srv/toy/m.gguf'] as const,
      [large, '/srv/large/l.gguf'] as const,
      [unit, '/srv/template/t.gguf'] as const,
      [linked, '/srv/box/b.gguf'] as const,
    ].flatMap(([tree, path], at) => [
      [`${store}/${tree}/m.gguf`, `9:${at}`],
      [path, `9:${at}`],
    ]),
  );
  const found = await foldersInUse(
    {
      proc: { text: () => null, link: () => null, names: () => [] },
      files: {
        stat: async (path) => (seen[path] ? { id: seen[path], size: 1, isFile: true, mtimeMs: 0 } : null),
        read: async (path) => files[path] ?? null,
        list: async (path) => [
          ...new Set(
            Object.keys(files).flatMap((name) =>
              name.startsWith(`${path}/`) ? [name.slice(path.length + 1).split('/')[0] ?? ''] : [],
            ),
          ),
        ],
      },
      env: { HOME: '/home/a' },
      uid: 1000,
      containers: [],
    },
    [tiny, large, linked, unit, stopped, other].map((folder) => ({
      folder,
      paths: [`${store}/${folder}/m.gguf`],
    })),
  );
  expect([...found.folders].toSorted()).toEqual([tiny, large, linked, unit, stopped].toSorted());
});
