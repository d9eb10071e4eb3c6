import { azure } from './azure.ts';
import { gateway } from './gateway.ts';
import { mooncake } from './mooncake.ts';

/** Every way in which a trace may be written. Add one: write its file beside these, then name it here. */
export const traceFormats = [mooncake, azure, gateway] as const;

export type TraceKind = (typeof traceFormats)[number]['kind'];
export const traceKinds = traceFormats.map(({ kind }) => kind) as [TraceKind, ...TraceKind[]];
