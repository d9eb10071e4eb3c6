import type { Hardware } from '../../domain/hardware.ts';
import type { Listener, ProcessTable } from '../../domain/process-facts.ts';

/** What rules look at beside the servers. */
export interface FindingContext {
  readonly hardware: Hardware;
  readonly listeners: readonly Listener[];
  readonly table: ProcessTable;
}
