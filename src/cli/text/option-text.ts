import { formatBytes } from '../../domain/format.ts';
import type { HostFigures, MemoryStep } from '../../fleet/relocate/figures.ts';
import type { Option } from '../../fleet/relocate/option.ts';
import { table } from '../output.ts';

/** Options side by side, a line for each host that one of them touches. */
export function optionsText(options: readonly Option[]): string {
  const head = ['OPTION', 'HOST', 'TAKES', 'FREES', 'AT MOST', 'FREE NOW', 'GPUS', 'PORTS', 'REQUESTS'];
  const possible = options.filter((one) => one.refusals.length === 0);
  const refused = options.filter((one) => one.refusals.length > 0);
  return [
    table([head, ...possible.flatMap(rowsOf)]),
    ...possible.flatMap((one) => one.notes.map((note) => `${one.name}: ${note}.`)),
    ...refused.map((one) => `Not possible: ${one.name}: ${one.refusals.join(' ')}`),
  ].join('\n');
}

/** Step by step, with the memory of each; nothing where nothing is to be done. */
export function stepsText({ steps, requests }: Option): string {
  const lines = steps.map((step, index) => `  ${index + 1}. ${stepLine(step, requests)}`);
  return lines.length === 0 ? '' : ['Step by step:', ...lines].join('\n');
}

function stepLine(
  { do: what, deployment, replica, host, meanwhileBytes, afterBytes, freeBytes }: MemoryStep,
  requests: Option['requests'],
): string {
  const name = replica === 0 ? deployment : `${deployment}-${replica}`;
  const fate = requests.find((one) => one.deployment === deployment)?.requests;
  const wait = what === 'replace' && fate === 'wait' ? ', its requests wait meanwhile' : '';
  if (meanwhileBytes === null) return `${what} ${name} on ${host}${wait} (memory not known)`;
  const free = freeBytes === null ? '' : ` of ${formatBytes(freeBytes)} free`;
  const after = afterBytes === null ? '' : `, ${signedBytes(afterBytes)} afterwards`;
  return `${what} ${name} on ${host}${wait} (${signedBytes(meanwhileBytes)}${free}${after})`;
}

function signedBytes(bytes: number): string {
  return bytes < 0 ? `-${formatBytes(-bytes)}` : `+${formatBytes(bytes)}`;
}

function rowsOf(option: Option): string[][] {
  if (option.now || option.hosts.length === 0) return [[option.name, '', '', '', '', '', '', '', 'as it is']];
  return option.hosts.map((host, index) => [
    index === 0 ? option.name : '',
    ...hostCells(host),
    index === 0 ? requestsOf(option) : '',
  ]);
}

function hostCells({
  host,
  takesBytes,
  freesBytes,
  peakBytes,
  freeBytes,
  gpus,
  ports,
}: HostFigures): string[] {
  return [
    host,
    formatBytes(takesBytes),
    formatBytes(freesBytes),
    formatBytes(peakBytes),
    formatBytes(freeBytes),
    signed(gpus.takes > 0 ? [gpus.takes] : [], gpus.frees > 0 ? [gpus.frees] : []),
    signed(ports.takes, ports.frees),
  ];
}

/** "+8081 -8080"; nothing where nothing changes. */
function signed(takes: readonly number[], frees: readonly number[]): string {
  return [...takes.map((one) => `+${one}`), ...frees.map((one) => `-${one}`)].join(' ');
}

const words = {
  'go on': 'go on',
  wait: 'wait while the new one starts',
  end: 'are not served until it is done',
  begin: 'are served from then on',
} as const;

function requestsOf({ requests }: Option): string {
  if (requests.length === 1 && requests[0]) return words[requests[0].requests];
  return requests.map((one) => `${one.deployment}: ${words[one.requests]}`).join('; ');
}
