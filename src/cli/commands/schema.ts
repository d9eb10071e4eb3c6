import type { Command } from 'commander';
import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { RequestRecord } from '../../domain/run/record.ts';
import { ServerSample } from '../../domain/run/server-sample.ts';
import { Report } from '../../domain/run/report.ts';
import { jsonSchema } from '../../fleet/file/json-schema.ts';
import type { CliContext } from '../context.ts';

export const examples = [
  [
    'berth schema',
    "The JSON Schema of the fleet file, for editors: # yaml-language-server: $schema=FILE as a file's first line.",
  ],
  ['berth schema report', "The JSON Schema of a benchmark's report.json, for programs that read it."],
] as const;

const schemas: Readonly<Record<string, () => Record<string, unknown>>> = {
  fleet: jsonSchema,
  report: () => ({
    ...z.toJSONSchema(Report, { reused: 'ref' }),
    title: 'Report of a berth benchmark (report.json)',
  }),
  server: () => ({
    ...z.toJSONSchema(ServerSample, { reused: 'ref' }),
    title: "One line of server.jsonl of a berth benchmark: the server's side at one moment",
  }),
  record: () => ({
    ...z.toJSONSchema(RequestRecord, { reused: 'ref' }),
    title: 'One line of records.jsonl of a berth benchmark',
  }),
};

export function configure(command: Command, context: CliContext): void {
  const known = Object.keys(schemas).join(', ');
  command.argument('[of]', `what to describe: ${known}`, 'fleet').action((of: string) => {
    const make = schemas[of];
    if (!make)
      throw new BerthError('USAGE', {
        detail: `There is no schema of ${of}; there are: ${known}.`,
        command: 'schema',
      });
    const schema = make();
    context.output.result(schema, () => JSON.stringify(schema, null, 2));
  });
}
