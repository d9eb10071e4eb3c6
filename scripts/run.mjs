// Child processes of the scripts: signals are passed on, exit codes come back.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a program with our terminal and gives its exit code (128 + number when a signal ended it). Signals sent to us go
 * on to it, and we stay until it is gone: it may have to stop what it started.
 */
export function run(program, args, options = {}) {
  const child = spawn(program, args, { stdio: 'inherit', ...options });
  return waitFor(child);
}

/** The same, but its output comes back as text; stderr is shown as it comes unless `quiet`. Never rejects. */
export async function capture(program, args, { quiet = false, ...options } = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
    if (!quiet) process.stderr.write(text);
  });
  try {
    return { code: await waitFor(child), stdout, stderr };
  } catch (error) {
    return { code: 127, stdout, stderr: `${stderr}${error.message}\n` };
  }
}

function waitFor(child) {
  const handlers = passedOn.map((signal) => [signal, () => child.kill(signal)]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  }).finally(() => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  });
}
