// Loaded into berth by `node --import`: ends it by SIGKILL at one of the effects that it has on the machine. Every effect is
// written to the file BERTH_CRASH_LOG, by its kind. BERTH_CRASH_AT is a Moment of machine.ts as JSON.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';

const { effect, kind: wanted, when, delayMs } = JSON.parse(process.env.BERTH_CRASH_AT ?? '{}');
const kill = process.kill.bind(process);
const { appendFileSync, existsSync } = fs;
/** How often there was an effect of which kind, and of any. */
const seen = new Map();
let count = 0;

function end() {
  kill(process.pid, 'SIGKILL');
  // The signal is there before this returns; nothing may be done in between.
  for (;;);
}

/** Tells of an effect that is about to be; returns what is to be called once it is there. */
function begin(kind) {
  const nth = seen.get(kind) ?? 0;
  seen.set(kind, nth + 1);
  const index = count++;
  appendFileSync(process.env.BERTH_CRASH_LOG, `${kind}\n`);
  const meant = wanted === undefined ? index === effect : kind === wanted && nth === effect;
  if (meant && when === 'before') end();
  return () => {
    if (!meant) return;
    if (delayMs === undefined) end();
    else setTimeout(end, delayMs);
  };
}

function kindOfFile(path) {
  if (path.includes('/ran/')) return 'what ran';
  if (/\/(secrets|engine-keys|secret-files)\//.test(path)) return 'a secret';
  if (path.includes('/journal')) return 'the journal';
  if (path.startsWith('/etc/') || path.startsWith('/run/')) return 'a unit';
  return 'another file';
}

function wrapAsync(name, kindOf) {
  const original = fs.promises[name];
  fs.promises[name] = async (path, ...rest) => {
    const kind = typeof path === 'string' ? kindOf(path, ...rest) : null;
    if (kind === null || path.includes('node-compile')) return original(path, ...rest);
    const done = begin(kind);
    const result = await original(path, ...rest);
    done();
    return result;
  };
}

wrapAsync('writeFile', (path) => `write ${kindOfFile(path)}`);
wrapAsync('appendFile', (path) => `write ${kindOfFile(path)}`);
wrapAsync('rename', (_from, to) => `put ${kindOfFile(to)} in place`);
wrapAsync('rm', (path) => (existsSync(path) ? `remove ${kindOfFile(path)}` : null));
wrapAsync('mkdir', (path) => (existsSync(path) ? null : 'make a folder'));

process.kill = (pid, signal) => {
  if (signal === 0) return kill(pid, signal);
  const done = begin('end a process');
  const result = kill(pid, signal);
  done();
  return result;
};

const readers = /^(show|cat|status|list-.*|is-.*|--version)$/;

/** Units and their secrets are written and removed by a script, which may run as another user. */
function kindOfScript(text) {
  if (text.includes('mv -f')) return 'write the files of a unit';
  return text.includes('rmdir') ? 'remove the files of a unit' : null;
}

function kindOfProgram(program, args, options) {
  if (options?.detached) return 'start a process';
  if (basename(program) === 'sh') return kindOfScript(args[1] ?? '');
  if (basename(program) !== 'systemctl') return null;
  const verb = args.find((word) => !word.startsWith('-')) ?? '';
  return verb === '' || readers.test(verb) ? null : `systemctl ${verb}`;
}

const { spawn } = childProcess;
childProcess.spawn = (program, args, options) => {
  const kind = kindOfProgram(program, args ?? [], options);
  const done = kind === null ? null : begin(kind);
  const child = spawn(program, args, options);
  if (options?.detached) done?.();
  else if (done) child.once('exit', done);
  return child;
};

const { request } = http;
http.request = (...args) => {
  const options = args.find((one) => typeof one === 'object' && one?.socketPath);
  if (!options || (options.method ?? 'GET') === 'GET') return request(...args);
  const path = String(options.path ?? '')
    .replace(/\?.*/, '')
    .replace(/^\/v[\d.]+/, '')
    .replace(/\/[0-9a-f]{12,}/, '/ID');
  const done = begin(`${options.method} ${path}`);
  const outgoing = request(...args);
  outgoing.prependOnceListener('response', done);
  return outgoing;
};

syncBuiltinESMExports();
