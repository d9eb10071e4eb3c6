import { tryMachines } from '../../test/support/machine-cases.ts';

const [a, b] = ['/system.slice/a.service', '/system.slice/b.service'];
const hub = '/home/me/.cache/huggingface/hub/models--org--m';

function llama(
  pid: number,
  model: string,
  more: readonly string[] = [],
): { pid: number; argv: string[]; at: string[]; cgroup: string } {
  return {
    pid,
    argv: ['llama-server', '-m', model, '--port', String(8000 + pid), ...more],
    at: [`127.0.0.1:${8000 + pid}`],
    cgroup: pid === 10 ? a : b,
  };
}

function vllm(pid: number, model: string, more: readonly string[] = []): ReturnType<typeof llama> {
  return { ...llama(pid, ''), argv: ['vllm', 'serve', model, '--port', String(8000 + pid), ...more] };
}

tryMachines([
  {
    what: 'one file by a link and by its name',
    processes: [llama(10, '/srv/kimi.gguf'), llama(20, '/srv/current.gguf')],
    models: { '/srv/kimi.gguf': 6 },
    links: { '/srv/current.gguf': 'kimi.gguf' },
    found: ['duplicate /srv/kimi.gguf'],
  },
  {
    what: 'one file by its name in two folders of processes',
    processes: [
      { ...llama(10, 'kimi.gguf'), cwd: '/srv/models' },
      { ...llama(20, '../models/kimi.gguf'), cwd: '/srv/bin' },
    ],
    models: { '/srv/models/kimi.gguf': 6 },
    found: ['duplicate kimi.gguf'],
  },
  {
    what: 'two files of one name in two folders of processes',
    processes: [
      { ...llama(10, 'kimi.gguf'), cwd: '/srv/a' },
      { ...llama(20, 'kimi.gguf'), cwd: '/srv/b' },
    ],
    models: { '/srv/a/kimi.gguf': 6, '/srv/b/kimi.gguf': 6 },
    found: [],
  },
  {
    what: 'a snapshot of a hub and the blob behind it',
    processes: [llama(10, `${hub}/snapshots/r1/q4.gguf`), llama(20, `${hub}/blobs/0123abcd`)],
    models: { [`${hub}/blobs/0123abcd`]: 6 },
    links: { [`${hub}/snapshots/r1/q4.gguf`]: '../../blobs/0123abcd' },
    found: [`duplicate ${hub}/snapshots/r1/q4.gguf`],
  },
  {
    what: 'a folder of a hub and the repository that it is of',
    processes: [vllm(10, 'org/m'), vllm(20, `${hub}/snapshots/r1`)],
    models: { [`${hub}/snapshots/r1/model.safetensors`]: 6 },
    found: ['duplicate org/m'],
  },
  {
    what: 'two revisions of one repository, by their folders of a hub',
    processes: [vllm(10, `${hub}/snapshots/r1`), vllm(20, `${hub}/snapshots/r2`)],
    models: {
      [`${hub}/snapshots/r1/model.safetensors`]: 6,
      [`${hub}/snapshots/r2/model.safetensors`]: 6,
    },
    found: [],
  },
  {
    what: 'one folder of a model, by a link and by its name',
    processes: [vllm(10, '/srv/qwen'), vllm(20, '/srv/current')],
    models: {
      '/srv/qwen/model-00001-of-00002.safetensors': 5,
      '/srv/qwen/model-00002-of-00002.safetensors': 4,
    },
    links: { '/srv/current': 'qwen' },
    found: ['duplicate /srv/qwen'],
  },
  {
    what: 'two folders of models',
    processes: [vllm(10, '/srv/qwen'), vllm(20, '/srv/mistral')],
    models: { '/srv/qwen/model.safetensors': 5, '/srv/mistral/model.safetensors': 4 },
    found: [],
  },
  {
    what: 'one repository with and without the kind of its quantization',
    processes: [
      { ...llama(10, ''), argv: ['llama-server', '-hf', 'org/m-GGUF:Q4_K_M', '--port', '8010'] },
      { ...llama(20, ''), argv: ['llama-server', '-hf', 'org/m-GGUF:Q8_0', '--port', '8020'] },
    ],
    found: [],
  },
  {
    what: 'a repository in other letters, which the hub takes for the same',
    processes: [vllm(10, 'Org/M'), vllm(20, 'org/m')],
    found: ['duplicate Org/M'],
  },
  {
    what: 'a model in parts that together are larger than the memory it may use',
    processes: [llama(10, '/srv/big-00001-of-00003.gguf')],
    models: {
      '/srv/big-00001-of-00003.gguf': 40,
      '/srv/big-00002-of-00003.gguf': 40,
      '/srv/big-00003-of-00003.gguf': 30,
    },
    files: { [`/sys/fs/cgroup${a}/memory.max`]: String(64 * 1024 ** 3) },
    found: ['model-over-memory llama.cpp big-00001-of-00003.gguf (process 10)'],
  },
  {
    what: 'the parts of a model, its projector, its draft and what adapts it, beside what nobody serves',
    processes: [
      llama(10, '/srv/big-00001-of-00002.gguf', [
        '--mmproj',
        '/srv/mmproj-f16.gguf',
        '-md',
        '/srv/draft.gguf',
        '--lora',
        '/srv/lora.gguf',
        '--lora-scaled',
        '/srv/style.gguf:0.5',
      ]),
    ],
    models: Object.fromEntries(
      ['big-00001-of-00002', 'big-00002-of-00002', 'mmproj-f16', 'draft', 'lora', 'style', 'old'].map(
        (name) => [`/srv/${name}.gguf`, 1],
      ),
    ),
    found: ['orphan-model-file /srv/old.gguf'],
  },
  {
    what: 'a blob of a hub beside its snapshots: the same file by two names',
    processes: [llama(10, `${hub}/snapshots/r1/q4.gguf`)],
    models: { [`${hub}/blobs/0123abcd`]: 6 },
    links: { [`${hub}/snapshots/r1/q4.gguf`]: '../../blobs/0123abcd' },
    found: [],
  },
  {
    what: 'a model by a relative path, beside one that nobody serves',
    processes: [{ ...llama(10, './kimi.gguf'), cwd: '/srv/models' }],
    models: { '/srv/models/kimi.gguf': 6, '/srv/models/old.gguf': 6 },
    found: ['orphan-model-file /srv/models/old.gguf'],
  },
  {
    what: 'a model whose file was removed under it',
    processes: [llama(10, '/srv/gone.gguf')],
    found: [],
  },
  {
    what: 'one model in two groups that share its work',
    processes: [
      vllm(10, 'org/m', ['--headless', '-dp', '2', '--data-parallel-start-rank', '1']),
      vllm(20, 'org/m', ['-dp', '2']),
    ],
    found: [],
  },
]);
