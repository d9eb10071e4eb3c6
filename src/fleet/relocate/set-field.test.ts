import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { setField } from './set-field.ts';

const file = `# the fleet
version: 1
fleet: lab   # at home
hosts:
    box: {local: true, ports: 8080-8099}   # the box
    far:
        ssh: opc@a10
deployments:
    # the large one
    kimi: {model: kimi, host: box, target: {kind: systemd, unit: kimi}, port: 8080} # eyes
    mistral:   # the small one
        # where it runs
        host: box
        target:
            kind: systemd
            # by hand
            unit: m
        port: 8081
    bare: {}
# the end
`;

const cases: [string[], unknown, number][] = [
  [['deployments', 'kimi', 'host'], 'far', 1],
  [['deployments', 'kimi', 'target'], { kind: 'docker' }, 1],
  [['deployments', 'kimi', 'gpus'], 1, 1],
  [['deployments', 'mistral', 'host'], 'far', 1],
  [['deployments', 'mistral', 'target'], { kind: 'process' }, 4],
  [['deployments', 'mistral', 'gpus'], 2, 0],
  [['deployments', 'mistral', 'port'], undefined, 1],
  [['deployments', 'kimi', 'host'], undefined, 1],
  [['deployments', 'kimi', 'model'], undefined, 1],
  [['deployments', 'kimi'], undefined, 1],
  [['deployments', 'mistral'], undefined, 8],
  [['deployments', 'bare', 'host'], 'far', 1],
  [['hosts', 'box', 'reserve'], [8082, 8083], 1],
  [['hosts', 'far', 'reserve'], [8082], 0],
];

test.each(cases)('a field is set or taken out and every other line stays: %j %j', (path, value, gone) => {
  const edited = setField(file, path, value);
  const wanted = parse(file) as Record<string, unknown>;
  const parent = path.slice(0, -1).reduce((node, key) => node[key] as Record<string, unknown>, wanted);
  if (value === undefined) delete parent[path.at(-1) ?? ''];
  else parent[path.at(-1) ?? ''] = value;
  expect(parse(edited)).toEqual(wanted);
  const lines = edited.split('\n');
  expect(file.split('\n').filter((line) => !lines.includes(line))).toHaveLength(gone);
});

test('what it says already stays as it is, and what cannot be put in keeps its comments all the same', () => {
  expect(setField(file, ['deployments', 'kimi', 'host'], 'box')).toBe(file);
  const made = setField('version: 1 # one\nfleet: lab\n', ['hosts', 'local', 'reserve'], [8082]);
  expect(parse(made)).toEqual({ version: 1, fleet: 'lab', hosts: { local: { reserve: [8082] } } });
  expect(made).toContain('# one');
});

test('the comment of an adoption goes with what was adopted, and no other one does', () => {
  const adopted =
    'deployments:\n  # mine\n  # Adopted, from process 7: it runs on as it was started.\n  a: {}\n  b: {}\n';
  expect(setField(adopted, ['deployments', 'a'], undefined)).toBe('deployments:\n  # mine\n  b: {}\n');
  expect(setField(adopted, ['deployments', 'b'], undefined)).toBe(adopted.replace('  b: {}\n', ''));
});
