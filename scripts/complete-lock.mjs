// Run after every change of a dependency. npm leaves packages for other platforms out of the lock file when the registry at
// hand does not offer them, and `npm ci` refuses such a lock anywhere. This adds the missing entries (name, version,
// platform; npm fills in the rest when it sees the package) and points the links of `overrides` at their real folder.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const names = {
  os: {
    linux: 'linux',
    darwin: 'darwin',
    mac: 'darwin',
    win: 'win32',
    win32: 'win32',
    android: 'android',
    freebsd: 'freebsd',
    openharmony: 'openharmony',
    aix: 'aix',
    netbsd: 'netbsd',
    openbsd: 'openbsd',
    sunos: 'sunos',
  },
  cpu: {
    x64: 'x64',
    arm64: 'arm64',
    arm: 'arm',
    riscv64: 'riscv64',
    ppc64: 'ppc64',
    s390x: 's390x',
    ia32: 'ia32',
    loong64: 'loong64',
    mips64el: 'mips64el',
  },
  libc: { gnu: 'glibc', musl: 'musl', gnueabihf: 'glibc', musleabihf: 'musl' },
};

/** Optional packages of the lock that have no entry: [the package that wants it, name, version]. */
export function missingEntries(lock) {
  return Object.entries(lock.packages).flatMap(([path, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !hasEntry(lock, path, name))
      .map(([name, version]) => [path, name, version]),
  );
}

function hasEntry(lock, path, name) {
  if (lock.packages[`${path === '' ? '' : `${path}/`}node_modules/${name}`]) return true;
  if (path === '') return false;
  const parent = path.lastIndexOf('/node_modules/');
  return hasEntry(lock, parent < 0 ? '' : path.slice(0, parent), name);
}

function platformEntry(name, version, dev) {
  const words = name.split('/').at(-1).split('-');
  const [os, cpu, libc] = [names.os, names.cpu, names.libc].map((map) =>
    words.map((word) => map[word]).find((found) => found !== undefined),
  );
  if (os === undefined) throw new Error(`No platform in the name of ${name}: add its words to the table.`);
  return {
    version: version.replace(/^[\^~]/, ''),
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(dev ? { dev } : {}),
    ...(libc && os === 'linux' ? { libc: [libc] } : {}),
    optional: true,
    os: [os],
  };
}

function complete(lock) {
  for (const [path, name, version] of missingEntries(lock)) {
    lock.packages[`node_modules/${name}`] = platformEntry(name, version, lock.packages[path].dev);
  }
  for (const [path, entry] of Object.entries(lock.packages)) {
    const at = path.lastIndexOf('/tools/empty');
    if (entry.link && entry.resolved.endsWith('/tools/empty')) entry.resolved = 'tools/empty';
    if (at < 0) continue;
    lock.packages['tools/empty'] = entry;
    delete lock.packages[path];
  }
  const [own, ...rest] = Object.entries(lock.packages);
  lock.packages = Object.fromEntries([own, ...rest.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  complete(lock);
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}
