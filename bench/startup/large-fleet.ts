/** A fleet file with that many deployments of every engine in turn, a route for every tenth: about 6 lines each. */
export function largeFleet(deployments: number): string {
  const names = Array.from({ length: deployments }, (_, i) => `model-${i}`);
  return [
    'version: 1',
    'fleet: large',
    'hosts: { here: { ports: 18400-18999 } }',
    'models:',
    '  small: { source: ./model.gguf }',
    'deployments:',
    ...names.flatMap((name, i) => [`  ${name}:`, '    host: here', ...engines[i % engines.length]!(i)]),
    'gateway:',
    '  routes:',
    ...names
      .filter((_, i) => i % 10 === 0)
      .map((name, i) => `    chat-${i}: { to: { ${name}: 1 }, aliases: [alias-${i}] }`),
    '',
  ].join('\n');
}

const engines: readonly ((i: number) => string[])[] = [
  (i) => [
    '    model: small',
    '    engine:',
    '      kind: embedded',
    `      slots: ${1 + (i % 8)}`,
    '      context: 2048',
  ],
  (i) => [
    '    model: small',
    '    engine:',
    '      kind: llama.cpp',
    `      slots: ${1 + (i % 8)}`,
    '      context: 4096',
    '      batch: 512',
  ],
  (i) => [
    '    engine:',
    '      kind: openai',
    `      url: http://10.0.0.${i % 250}:8000/v1`,
    '      slots: 16',
  ],
  (i) => [
    '    engine:',
    '      kind: command',
    `      command: [python3, server.py, --port, "{port}", --seed, "${i}"]`,
    '      healthPath: /health',
  ],
];
