import type { Upstream } from '../../domain/gateway-config.ts';

/** A route, as far as it says which engines are asked by its name. */
export interface Offering {
  readonly name: string;
  readonly aliasOf: string | null;
  readonly arms: readonly {
    readonly deployment: {
      readonly name: string;
      readonly instances: readonly { readonly upstream: Upstream }[];
    };
  }[];
}
