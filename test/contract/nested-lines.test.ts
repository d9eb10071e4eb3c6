import { expect, test } from 'vitest';
import { recognize } from '../../src/engines/registry.ts';

/** Its flags are also those of wrappers, and some of its words want quotes. */
const server =
  "/opt/l/llama-server|-m|/m/it's a.gguf|--port|8081|-c|8192|-np|2|-e|-r|User:|-ot|a(b|c)=CPU".split(
    /\|(?!c\))/,
  );

type Words = readonly string[];

function quoted(words: Words): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}

function doubled(words: Words): string {
  return words.map((word) => `"${word.replaceAll(/(["\\$`])/g, '\\$1')}"`).join(' ');
}

/** "HERE" stands for the words within quotes of one kind, "THERE" for those of the other. */
const texts: readonly string[] = [
  'exec HERE',
  'cd /srv && . ./env && exec THERE',
  'export A=1 B="c d"; ulimit -n 9; exec HERE',
  'while :; do HERE; sleep 1; done',
  'THERE & wait $!',
  'HERE >> /var/log/x 2>&1 < /dev/null',
  'exec THERE 2>&1 | tee -a "/var/log/a b.log"',
  'if [ -n "$X" ]; then echo no; else exec HERE; fi',
  '(exec HERE)',
  'run() { THERE; }; run',
  "cat > /tmp/x <<'END'\nvllm serve other/x --port 1\nEND\nexec HERE",
  'set -x\n# vllm serve other/x\nexec THERE \\\n  2> >(tee e) # it\n',
  'W=(HERE)\nexec "${W[@]}"',
];
const shells = [
  'bash -c',
  'sh -ec',
  'su - llm -c',
  'runuser -l llm -c',
  'nix-shell --run',
  'script /dev/null -qec',
];
const wrappers = [
  'nice -n 5',
  'taskset -c 0-3',
  'numactl --cpunodebind=0 --membind=0 --',
  'env -u X A=b',
  'sudo -E -H -u llm --',
  'setsid -f',
  'timeout -k 5 1h',
  'systemd-run --scope --user -p MemoryMax=8G --',
  'tini -g --',
  'gosu llm',
  'setpriv --reuid 1 --clear-groups',
  'runuser -u llm --',
  'chpst -u llm',
  'chrt -r 5',
  'bwrap --bind / / --dev /dev --setenv A b',
  'uv run --frozen --with x',
  'conda run -n v --no-capture-output',
  'strace -f -o /t',
  'perf record -g --',
  'nsys profile -o /t -t cuda',
  'screen -dmS x',
  'flock -n /l',
  'ip netns exec n',
  'srun -n 1',
  'mpirun -n 1 --bind-to none',
  'chamber exec a b --',
  'mise exec --',
  'mise exec node@22 --',
];

const around: ((words: Words) => Words)[] = [
  ...wrappers.map((wrapper) => (words: Words) => [...wrapper.split(' '), ...words]),
  ...texts.map((text, nth) => (words: Words) => [
    ...(shells[nth % shells.length] ?? '').split(' '),
    text.replace('THERE', () => doubled(words)).replace('HERE', () => quoted(words)),
  ]),
];

function read(argv: Words): string {
  const found = recognize({ pid: 100, ppid: 1, argv, exe: null, env: {}, cwd: '/' });
  return JSON.stringify([found?.engine, found?.model, found?.port, found?.options]);
}

test('a server is read the same whichever two wrappers or shells stand around it', () => {
  const bare = read(server);
  expect(bare).toContain('llama.cpp');
  const otherwise = around.flatMap((outer) =>
    [(words: Words) => words, ...around]
      .map((inner) => outer(inner(server)))
      .filter((argv) => read(argv) !== bare)
      .map((argv) => argv.join(' ')),
  );
  expect(otherwise).toEqual([]);
});
