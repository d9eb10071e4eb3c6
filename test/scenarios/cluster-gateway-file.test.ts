import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
  place.env['CI_KEY'] = 'sk-canary';
});

afterEach(() => place.close());

function fleet(gateway: string): string {
  return `version: 1
fleet: lab
id: k3x9
hosts: {k3s: {kubernetes: {context: k3s, namespace: llm}}, box: {local: true}}
models: {m: {source: /srv/models/m.gguf}}
deployments: {toy: {model: m, host: k3s, engine: {kind: llama.cpp}}}
gateway: {keys: {ci: "\${env:CI_KEY}"}, ${gateway}}
`;
}

test('a gateway in a cluster names a cluster and its image, all faults at once, and keys of it stand with a host', async () => {
  place.write(fleet('host: box'));
  const machine = await place.berth('validate');
  expect(machine.code).toBe(2);
  expect(machine.stdout + machine.stderr).toContain('Host box is a machine');
  expect(machine.stdout + machine.stderr).toContain('The gateway in a cluster needs "image"');
  place.write(fleet('replicas: 3, image: "x:1"'));
  const alone = await place.berth('validate');
  expect(alone.stdout + alone.stderr).toContain('"replicas" counts for a gateway in a cluster alone');
});

test('render writes the gateway that the file names, into the namespace of its host, and no secret', async () => {
  place.write(fleet('host: k3s, replicas: 3, image: "registry.lab/berth:1"'));
  const ran = await place.berth('render', '--format', 'kubernetes');
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stdout).toContain('image: registry.lab/berth:1');
  expect(ran.stdout).toContain('replicas: 3');
  expect(ran.stdout).toContain('namespace: llm');
  expect(ran.stdout + ran.stderr).not.toContain('sk-canary');
});

const inCluster = 'host: k3s, image: "registry.lab/berth:1", listen: ["127.0.0.1:8443"]';

test('a Secret with a certificate is mounted into the pods, which speak TLS alone', async () => {
  place.write(fleet(`${inCluster}, tls: {secret: web-tls}`));
  const ran = await place.berth('render', '--format', 'kubernetes');
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stderr).toContain('kubectl create secret tls web-tls -n llm --cert=FILE --key=FILE');
  const objects = parseAllDocuments(ran.stdout).map((one) => one.toJS() as Rendered);
  const gateway = objects.filter(({ metadata }) => metadata.name === 'berth-gateway');
  const file = gateway.find(({ kind }) => kind === 'ConfigMap')?.data?.['berth.yaml'] ?? '';
  expect((parse(file) as { gateway: object }).gateway).toMatchObject({
    listen: ['0.0.0.0:8443'],
    tls: { cert: '/run/secrets/berth-tls/tls.crt', key: '/run/secrets/berth-tls/tls.key' },
  });
  const pod = gateway.find(({ kind }) => kind === 'Deployment')?.spec.template?.spec;
  const [container] = pod?.containers ?? [];
  expect(pod?.volumes).toContainEqual({
    name: 'tls',
    secret: {
      secretName: 'web-tls',
      defaultMode: 0o440,
      items: ['tls.crt', 'tls.key'].map((key) => ({ key, path: key })),
    },
  });
  expect(container?.volumeMounts).toContainEqual({
    name: 'tls',
    mountPath: '/run/secrets/berth-tls',
    readOnly: true,
  });
  for (const probe of [container?.startupProbe, container?.readinessProbe, container?.livenessProbe])
    expect(probe?.httpGet).toEqual({ path: '/healthz', port: 'http', scheme: 'HTTPS' });
  expect(gateway.find(({ kind }) => kind === 'Service')?.spec.ports).toMatchObject([
    { port: 8443, appProtocol: 'https' },
  ]);
});

test.each([
  ['of a machine alone', 'tls: {secret: web-tls}', 'the gateway runs on this machine'],
  [
    'at an address of this machine that others reach',
    `${inCluster.replace('127.0.0.1', '0.0.0.0')}, tls: {secret: web-tls}`,
    'would serve at 0.0.0.0 without TLS',
  ],
  ['without its key', `${inCluster}, tls: {secret: web-tls, cert: a.crt}`, 'go together'],
  ['that names none', `${inCluster}, tls: {}`, 'names no certificate'],
])('a certificate %s is refused', async (_, gateway, reason) => {
  place.write(fleet(gateway));
  const ran = await place.berth('validate');
  expect(ran.code).toBe(2);
  expect(ran.stdout + ran.stderr).toContain(reason);
});

test('what asks the pods whether they serve has no certificate to show', async () => {
  place.write(fleet(`${inCluster}, tls: {secret: web-tls, clientCa: ca.crt}`));
  const ran = await place.berth('render', '--format', 'kubernetes');
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('gateway.tls.clientCa wants a certificate of everybody');
});

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly ports?: readonly object[];
    readonly template?: {
      readonly spec: {
        readonly volumes: readonly object[];
        readonly containers: readonly Readonly<Record<string, { httpGet?: object }>>[];
      };
    };
  };
}
