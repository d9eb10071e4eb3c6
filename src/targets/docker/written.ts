import { z } from 'zod';
import { parseJson } from '../../domain/json.ts';
import type { Inspected } from './answers.ts';
import { markLabel, writtenLabel } from '../../container/render.ts';
import type { ContainerBody, HostFacts } from '../../container/render.ts';

const Body = z.looseObject({
  Image: z.string(),
  Cmd: z.array(z.string()),
  HostConfig: z.record(z.string(), z.unknown()),
});

const Written = z.object({
  facts: z.object({
    podman: z.boolean(),
    stateDir: z.string(),
    gpuGroups: z.array(z.string()),
    fixedLimits: z.literal(true).optional(),
  }),
  body: Body,
});

/** The body of a container as it was given to the daemon, but for the labels of this file; maybe by another version. */
export interface WrittenBody {
  readonly Image: string;
  readonly Cmd: readonly string[];
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly [more: string]: unknown;
}

export interface Written {
  readonly facts: HostFacts;
  readonly body: WrittenBody;
}

/** Keeps beside the mark what was written from it, and from what of the host: so a later version tells its own changes from those of others. */
export function withWritten(body: ContainerBody, facts: HostFacts): ContainerBody {
  const { podman, stateDir, gpuGroups, fixedLimits } = facts;
  const told = { podman, stateDir, gpuGroups, ...(fixedLimits ? { fixedLimits } : {}) };
  const text = JSON.stringify({ facts: told, body: comparable(body) });
  return { ...body, Labels: { ...body.Labels, [writtenLabel]: text } };
}

/** Null where another version of berth has left nothing of the kind. */
export function writtenOf({ Config }: Inspected): Written | null {
  const text = Config.Labels?.[writtenLabel];
  return text === undefined ? null : (Written.safeParse(parseJson(text)).data ?? null);
}

/** What of a body is compared: the mark is compared field by field elsewhere. */
export function comparable(body: ContainerBody): WrittenBody {
  const { [markLabel]: _mark, [writtenLabel]: _written, ...labels } = body.Labels;
  return { ...body, Labels: labels };
}
