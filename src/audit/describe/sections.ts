import { formatBytes, plural } from '../../domain/format.ts';
import { usableCores } from '../../domain/hardware.ts';
import type { Architecture } from './architecture.ts';
import type { Service } from './services.ts';

/** A part of the document: text, a table, or commands, whichever it has. */
export interface Section {
  readonly heading: string;
  readonly text?: string;
  readonly table?: readonly (readonly string[])[];
  readonly commands?: readonly string[];
}

/** The document in parts; every format writes the same ones. Pure. */
export function sectionsOf(architecture: Architecture): Section[] {
  const { services, absent, ports, gateway, llmServices, findings, fleet } = architecture;
  return [
    {
      heading: fleet === null ? 'What serves models here' : `The fleet ${fleet.name}`,
      text:
        `As it was on ${architecture.at}, written by "berth describe"; ` +
        (fleet === null ? 'there is no fleet file.' : `the file is ${fleet.file}.`),
    },
    { heading: 'Machines', table: machines(architecture) },
    services.length === 0
      ? { heading: 'Servers', text: 'No model server runs.' }
      : { heading: 'Servers', table: serverTable(services) },
    ...(llmServices.length === 0
      ? []
      : [{ heading: 'LLMInferenceServices of KServe', table: llmTable(llmServices) }]),
    ...(absent.length === 0
      ? []
      : [
          {
            heading: 'Not running',
            table: [['DEPLOYMENT', 'WHY'], ...absent.map(({ name, why }) => [name, why])],
          },
        ]),
    ...(gateway === null
      ? []
      : [
          {
            heading: 'How clients reach them',
            text: `The gateway listens on ${gateway.listen.join(', ')}. Clients name a model:`,
            table: [['MODEL', 'ANSWERED BY'], ...gateway.routes.map(({ name, to }) => [name, to.join(', ')])],
          },
        ]),
    ...(ports.length === 0
      ? []
      : [
          {
            heading: 'Ports',
            table: [
              ['MACHINE', 'PORT', 'WHOSE'],
              ...ports.map(({ host, port, who }) => [host, String(port), who]),
            ],
          },
        ]),
    ...distinct(services.filter(({ manage }) => Object.keys(manage).length > 0)).map((service): Section => ({
      heading: `Managing ${service.name}`,
      commands: Object.entries(service.manage).map(([what, command]) => `${command}   # ${what}`),
    })),
    findings.length === 0
      ? { heading: 'What is wrong', text: 'Nothing that "berth audit" knows of.' }
      : {
          heading: 'What is wrong',
          table: [
            ['SEVERITY', 'OBJECT', 'WHAT', 'RULE'],
            ...findings.map(({ severity, object, message, rule }) => [severity, object, message, rule]),
          ],
        },
  ];
}

/** Replicas are managed as one. */
function distinct(services: readonly Service[]): Service[] {
  return [...new Map(services.map((one) => [`${one.name} ${one.manage['stop']}`, one])).values()];
}

function machines({ hosts }: Architecture): string[][] {
  const rows = hosts.map(({ host, hardware: { cpu, memory, gpus } }) => [
    host === 'local' ? 'local (this one)' : host,
    `${plural(usableCores(cpu), 'core')}${cpu.model === null ? '' : `, ${cpu.model}`}`,
    formatBytes(memory.limitBytes ?? memory.totalBytes),
    gpus.map((gpu) => `${gpu.name} ${formatBytes(gpu.memoryBytes)}`).join(', ') || 'none',
  ]);
  return [['MACHINE', 'PROCESSOR', 'MEMORY', 'GPUS'], ...rows];
}

function llmTable(services: Architecture['llmServices']): string[][] {
  const rows = services.map(({ name, cluster, namespace, state, reason, url, model }) => [
    name,
    `${cluster} (namespace ${namespace})`,
    state + (reason === null ? '' : ` (${reason})`),
    url ?? '-',
    model ?? '-',
  ]);
  return [['NAME', 'CLUSTER', 'STATE', 'URL', 'MODEL'], ...rows];
}

function serverTable(services: readonly Service[]): string[][] {
  const rows = services.map((one) => [
    one.name,
    one.host,
    one.engine,
    one.model,
    one.keptBy,
    one.listens,
    one.state,
    one.slots === null ? '-' : String(one.slots),
    one.context === null ? '-' : String(one.context),
    formatBytes(one.memoryBytes),
    formatBytes(one.gpuBytes),
  ]);
  const head = [
    'NAME',
    'MACHINE',
    'ENGINE',
    'MODEL',
    'KEPT BY',
    'LISTENS ON',
    'STATE',
    'SLOTS',
    'CONTEXT',
    'MEMORY',
    'GPU',
  ];
  return [head, ...rows];
}
