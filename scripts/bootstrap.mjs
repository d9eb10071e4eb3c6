// Shared by every script: runs on Node 20 without any package, and makes sure that the packages and the pinned Node are there.
import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture, run } from './run.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const pinnedNode = join(modules, '.bin', 'node');

/** A fault with its cure, for people; everything else that is thrown is a bug of the scripts. */
export class SetupError extends Error {}

/** Refuses what cannot work, installs what is missing. Quick when nothing is to do (two files are read). */
export async function ensureReady() {
  refusePlatform(process.platform, process.arch, glibcVersion());
  if (!installIsCurrent(readJson('package-lock.json'), readJson('node_modules/.package-lock.json'))) {
    await install();
  }
  await assertPinnedNode();
}

/** Runs a script's main; ends with its exit code, and with the message alone when the set-up is at fault. */
export async function main(body) {
  try {
    process.exitCode = await body(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

/** Runs a file on the pinned Node and gives its exit code. */
export function runNode(args, options) {
  return run(pinnedNode, args, { cwd: root, ...options, env: toolEnv(options?.env) });
}

/** Runs a program of node_modules/.bin, which finds the pinned Node first on PATH. */
export function runTool(name, args, options) {
  return run(join(modules, '.bin', name), args, { cwd: root, ...options, env: toolEnv(options?.env) });
}

function toolEnv(extra = {}) {
  return {
    ...process.env,
    PATH: `${join(modules, '.bin')}:${process.env.PATH ?? '/usr/bin:/bin'}`,
    ...extra,
  };
}

/** Throws on what berth does not run on. `glibc` is undefined on systems with another C library. */
export function refusePlatform(platform, arch, glibc) {
  const works = 'Berth runs on Linux with glibc, x64 or arm64';
  if (platform === 'darwin' || platform === 'win32') {
    const cure = platform === 'win32' ? 'Use WSL 2.' : 'Use a Linux virtual machine or a container.';
    throw new SetupError(`${works}; this is ${platform} ${arch}. ${cure}`);
  }
  if (platform !== 'linux' || !['x64', 'arm64'].includes(arch)) {
    throw new SetupError(`${works}; this is ${platform} ${arch}.`);
  }
  if (glibc === undefined) {
    throw new SetupError(`${works}; this system has another C library (Alpine?). Use a Debian-based image.`);
  }
}

function glibcVersion() {
  return process.report?.getReport().header.glibcVersionRuntime;
}

/**
 * True when everything that the lock file names is installed in the version it names. Compares contents, since times
 * say nothing after a checkout; packages for other platforms may be missing.
 */
export function installIsCurrent(lock, installed) {
  if (!installed) return false;
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '' || wanted.optional || wanted.devOptional) return true;
    const there = installed.packages[path];
    return there !== undefined && there.version === wanted.version && there.integrity === wanted.integrity;
  });
}

function readJson(path) {
  const file = join(root, path);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

async function install() {
  if (existsSync(modules) && lstatSync(modules).isSymbolicLink()) {
    throw new SetupError(`${modules} is a link and out of date: run "npm ci" where it points to.`);
  }
  const started = Date.now();
  process.stderr.write('Installing the packages that package-lock.json names (about 550 MB, once) ...\n');
  // Development and optional packages are asked for by name: NODE_ENV=production or omit=optional would drop the pinned Node.
  const args = ['ci', '--include=dev', '--include=optional', '--loglevel=error', '--no-audit', '--no-fund'];
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const { code, stderr } = await capture(npm[0], [...npm.slice(1), ...args], { cwd: root });
  if (code !== 0) throw new SetupError(`${stderr.trimEnd()}\n\nThe install failed. ${installCure(stderr)}`);
  process.stderr.write(`Installed in ${Math.round((Date.now() - started) / 1000)} s.\n`);
}

/** What to do about a failed `npm ci`, from what it printed. */
export function installCure(stderr) {
  if (/ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|network/i.test(stderr)) {
    return 'The package registry cannot be reached: check the network, the proxy and "npm config get registry", then run this again.';
  }
  if (/EACCES|EPERM|EROFS/.test(stderr)) {
    return `This user may not write to ${root} or to npm's cache: give the folder to this user, then run this again.`;
  }
  if (/ENOSPC/.test(stderr)) return 'The disk is full: about 1 GB is needed. Free some, then run this again.';
  if (/EUSAGE|in sync/.test(stderr)) {
    return 'package.json and package-lock.json disagree: run "npm install" and commit the lock file.';
  }
  if (/spawn npm ENOENT|npm: not found/.test(stderr)) return 'npm is not on PATH: install it beside Node.';
  return 'Run "npm ci" by hand to see more.';
}

/** Older npm leaves out the link in node_modules/.bin to a program of an optional package: it is made here. */
async function assertPinnedNode() {
  const wanted = readJson('tools/node/package.json').version;
  const program = join('..', `node-linux-${process.arch}`, 'bin', 'node');
  if (!existsSync(join(dirname(pinnedNode), program))) {
    throw new SetupError(
      `The pinned Node ${wanted} is not in ${modules}: npm left out the optional package that holds it. ` +
        'Run "npm ci --include=optional".',
    );
  }
  if (!existsSync(pinnedNode)) symlinkSync(program, pinnedNode);
  const { code, stdout, stderr } = await capture(pinnedNode, ['--version'], { quiet: true });
  if (code === 0 && stdout.trim() === `v${wanted}`) return;
  const fault = code === 0 ? `is ${stdout.trim()}` : `does not run: ${stderr.trim()}`;
  throw new SetupError(
    `${pinnedNode} should be Node ${wanted} but ${fault}. ` +
      'Remove node_modules and run this again; on a file system mounted noexec, move the clone.',
  );
}
