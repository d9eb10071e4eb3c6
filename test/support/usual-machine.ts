import type { MachineProcess } from './machine-cases.ts';

export const etc = '/etc/systemd/system';
export const user = '/user.slice/user-1000.slice/user@1000.service';
export const unit = { cgroup: '/system.slice/llm.service' };
export const ollamaUnit =
  '[Unit]\nDescription=Ollama Service\nAfter=network-online.target\n[Service]\nExecStart=/usr/local/bin/ollama serve\nUser=ollama\nGroup=ollama\nRestart=always\nRestartSec=3\nEnvironment="PATH=/usr/local/bin:/usr/bin:/bin"\n[Install]\nWantedBy=default.target\n';
export const ollama: MachineProcess = {
  pid: 10,
  argv: ['/usr/local/bin/ollama', 'serve'],
  at: ['127.0.0.1:11434'],
  cgroup: '/system.slice/ollama.service',
  env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
};

export function llama(
  pid: number,
  more: readonly string[],
  rest: Partial<MachineProcess> = {},
): MachineProcess {
  return {
    pid,
    argv: ['/usr/bin/llama-server', ...more, '--port', String(8000 + pid)],
    at: [`127.0.0.1:${8000 + pid}`],
    cgroup: `/system.slice/llm-${pid}.service`,
    ...rest,
  };
}

export function vllm(pid: number, model: string, more: readonly string[] = []): MachineProcess {
  return {
    pid,
    argv: ['/opt/v/bin/python3', '/opt/v/bin/vllm', 'serve', model, '--port', String(8000 + pid), ...more],
    at: [`127.0.0.1:${8000 + pid}`],
    cgroup: `/system.slice/vllm-${pid}.service`,
  };
}
