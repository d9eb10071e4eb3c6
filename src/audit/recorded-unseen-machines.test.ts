import { etc, llama, vllm } from '../../test/support/usual-machine.ts';
import { tryMachines } from '../../test/support/machine-cases.ts';

const small = ['--cache-ram', '0'];
const a = ['-m', '/m/a.gguf', ...small];
const A = 'llama.cpp a.gguf (process 10)';
const llm = { cgroup: '/system.slice/llm.service' };
const line = '/usr/bin/llama-server -m /m/a.gguf --cache-ram 0 --port 8010';
const healthy = '"total_slots":1,"default_generation_settings":{"n_ctx":4096}';

const counters =
  'vllm:prompt_tokens_total{model_name="m"} 5\nvllm:generation_tokens_total{model_name="m"} 7\n';

const twoWithKeys = ['a', 'b'].map((name, nth) => ({
  ...vllm(10 + nth, `org/${name}`),
  env: { VLLM_API_KEY: 'x' },
}));
const twoVersions = {
  '8010/health': '',
  '8010/version': '{"version":"0.9.2"}',
  '8010/metrics': counters,
  '8011/health': '',
  '8011/version': '{"version":"0.11.0"}',
  '8011/metrics': counters,
};

function unitOf(start: string, more = ''): string {
  return `[Unit]\nDescription=m\n[Service]\nExecStart=${start}\n${more}[Install]\nWantedBy=multi-user.target\n`;
}

const dropIn = `${etc}/llm.service.d/o.conf`;
const withDropIn = {
  files: {
    [`${etc}/llm.service`]: unitOf(line),
    [dropIn]: `[Service]\nExecStart=\nExecStart=${line} -t 4\n`,
  },
  loaded: { 'llm.service': { MainPID: '10', DropInPaths: dropIn } },
};

tryMachines([
  {
    what: 'a llama-server without a model is a router, and its children are its own',
    processes: [
      {
        pid: 9,
        argv: ['llama-server', '--port', '8080'],
        at: ['127.0.0.1:8080'],
        env: {},
        ...llm,
      },
      llama(10, a, { ppid: 9, ...llm }),
      llama(11, ['-m', '/m/b.gguf', ...small], { ppid: 9, ...llm }),
    ],
    servers: ['llama-router (process 9)'],
    found: [],
  },
  {
    what: 'a router without a key, for all',
    processes: [
      {
        pid: 10,
        argv: ['llama-server', '--host', '0.0.0.0', '--port', '8010'],
        at: ['0.0.0.0:8010'],
        env: {},
        ...llm,
      },
    ],
    found: ['open-without-key llama-router (process 10)'],
  },
  {
    what: 'a word in place of a key, for all',
    processes: [{ ...vllm(10, 'org/m', ['--api-key', 'EMPTY']), at: ['0.0.0.0:8010'] }],
    found: ['open-without-key vllm org/m (process 10)'],
  },
  {
    what: 'a key and a certificate, for all',
    processes: [
      llama(10, [...a, '--ssl-key-file', '/k', '--ssl-cert-file', '/c'], {
        at: ['[::]:8010'],
        env: { LLAMA_API_KEY: 'x' },
      }),
    ],
    found: [],
  },
  {
    what: 'a key and a certificate of variables, for all',
    processes: [
      llama(10, a, {
        at: ['0.0.0.0:8010'],
        env: { LLAMA_API_KEY: 'x', LLAMA_ARG_SSL_KEY_FILE: '/k', LLAMA_ARG_SSL_CERT_FILE: '/c' },
      }),
    ],
    found: [],
  },
  {
    what: 'a drop-in that its process has',
    processes: [llama(10, [...a, '-t', '4'], llm)],
    ...withDropIn,
    found: [],
  },
  {
    what: 'a drop-in that came after its process',
    processes: [llama(10, a, llm)],
    ...withDropIn,
    found: ['runs-otherwise llm.service'],
  },
  {
    what: 'a unit whose shell exports what its process has',
    processes: [llama(10, a, { ...llm, env: { LLAMA_ARG_CTX_SIZE: '8192' } })],
    files: { [`${etc}/llm.service`]: unitOf(`/bin/sh -c 'export LLAMA_ARG_CTX_SIZE=8192; exec ${line}'`) },
    loaded: { 'llm.service': { MainPID: '10' } },
    found: [],
  },
  {
    what: 'a draft that another server has as its model',
    processes: [llama(10, ['-m', '/m/b.gguf', '-md', '/m/a.gguf', ...small]), llama(11, a)],
    models: { '/m/a.gguf': 1, '/m/b.gguf': 9 },
    found: [],
  },
  {
    what: 'a cache of prompts without bound under a limit',
    processes: [llama(10, ['-m', '/m/a.gguf', '--cache-ram', '-1'])],
    models: { '/m/a.gguf': 5 },
    files: { '/sys/fs/cgroup/system.slice/llm-10.service/memory.max': `${64 * 1024 ** 3}\n` },
    found: [`prompt-cache-over-limit ${A}`],
  },
  {
    what: 'threads of a variable above the quota of its slice',
    processes: [llama(10, a, { env: { LLAMA_ARG_THREADS: '16' }, cgroup: '/llm.slice/llm.service' })],
    files: { '/sys/fs/cgroup/llm.slice/cpu.max': '400000 100000\n' },
    found: [`throttled-threads ${A}`],
  },
  {
    what: 'two builds of llama.cpp',
    processes: [llama(10, a), llama(11, ['-m', '/m/b.gguf', ...small])],
    replies: {
      '8010/health': '{"status":"ok"}',
      '8011/health': '{"status":"ok"}',
      '8010/props': `{"build_info":"b5000-abcdef0","model_path":"/m/a.gguf",${healthy}}`,
      '8011/props': `{"build_info":"b6700-abcdef1","model_path":"/m/b.gguf",${healthy}}`,
    },
    found: [`version-behind ${A}`],
  },
  {
    what: 'two versions of vLLM that tell their models to nobody without a key',
    processes: twoWithKeys,
    replies: twoVersions,
    refused: ['8010/v1/models', '8011/v1/models'],
    found: ['version-behind vllm org/a (process 10)'],
  },
  {
    what: 'the same paths of what has no models to tell',
    processes: twoWithKeys,
    replies: twoVersions,
    found: [],
  },
  {
    what: 'two of one version, in two builds',
    processes: ['a', 'b'].map((name, nth) => vllm(10 + nth, `org/${name}`)),
    replies: {
      '8010/version': '{"version":"0.11.0+cu128"}',
      '8010/metrics': counters,
      '8011/version': '{"version":"0.11.0"}',
      '8011/metrics': counters,
    },
    refused: ['8010/v1/models', '8011/v1/models'],
    found: [],
  },
]);
