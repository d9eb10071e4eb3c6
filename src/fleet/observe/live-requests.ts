import { CapturedRequest, CaptureList } from '../../domain/captured-request.ts';
import { KeyUsage } from '../../domain/key-usage.ts';
import { LiveRequests } from '../../domain/live-request.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { GatewayChild } from '../gateway/gateway-child.ts';

/** The requests under way, for whoever watches the gateway from outside. */
export interface RequestView {
  /** Throws GATEWAY_ABSENT, GATEWAY_REFUSED. */
  readonly list: () => Promise<LiveRequests>;
  /** Ends one; its client is told. Throws REQUEST_UNKNOWN when it is not under way. */
  readonly cancel: (id: string) => Promise<void>;
  /** Who has used what. */
  readonly usage: () => Promise<KeyUsage>;
  readonly captures: () => Promise<CaptureList>;
  /** Throws REQUEST_UNKNOWN when it is not kept, or not any more. */
  readonly capture: (id: string) => Promise<CapturedRequest>;
}

export function requestView(gateway: () => Pick<GatewayChild, 'ask'> | null): RequestView {
  function ask(): GatewayChild['ask'] {
    const running = gateway();
    if (!running) throw new BerthError('GATEWAY_ABSENT', {});
    return running.ask;
  }
  return {
    list: async () => LiveRequests.parse(await ask()({ do: 'requests' })),
    usage: async () => KeyUsage.parse(await ask()({ do: 'usage' })),
    captures: async () => CaptureList.parse(await ask()({ do: 'captures' })),
    capture: async (request) => CapturedRequest.parse(await ask()({ do: 'capture', request })),
    cancel: async (request) => void (await ask()({ do: 'cancel', request })),
  };
}
