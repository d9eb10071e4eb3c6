import { expect, test } from 'vitest';
import { withoutSecrets } from './without-secrets.ts';

test('keys that probes ask with are hidden, in headers and in commands', () => {
  const httpHeaders = [
    { name: 'Authorization', value: 'Bearer s3cr3t' },
    { name: 'X-Api-Key', value: 's3cr3t' },
    { name: 'Accept', value: 'application/json' },
  ];
  const command = ['sh', '-c', 'curl -H "Authorization: Bearer s3cr3t" localhost:8000/health'];
  const containers = [{ readinessProbe: { httpGet: { httpHeaders } }, livenessProbe: { exec: { command } } }];
  const [pod] = withoutSecrets([{ kind: 'Pod', spec: { containers } }]);
  const text = JSON.stringify(pod);
  expect(text).not.toContain('s3cr3t');
  expect(text).toContain('application/json');
});
