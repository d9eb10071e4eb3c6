/** Turns the bytes of tokens into text that can be sent. */
export interface TextStream {
  /** The text that is certain by now; `stopped` once a stop string was met (the text ends in front of it). */
  readonly push: (bytes: Uint8Array) => { text: string; stopped: boolean };
  /** What was held back as the possible start of a stop string; half a character is dropped. */
  readonly flush: () => string;
  /** The stop string that ended the text; null when none did. */
  readonly met: () => string | null;
}

/**
 * Characters whose bytes are spread over tokens are held until they are whole, and so is text that may be the start of a
 * stop string. After `stopped` nothing may be pushed.
 */
export function createTextStream(stops: readonly string[]): TextStream {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let held = '';
  let met: string | null = null;
  return {
    push: (bytes) => {
      const decoded = decoder.decode(bytes, { stream: true });
      if (stops.length === 0) return { text: decoded, stopped: false };
      held += decoded;
      const stop = earliest(held, stops);
      if (stop >= 0) met = stops.find((one) => held.startsWith(one, stop)) ?? null;
      const certain = stop >= 0 ? stop : held.length - partialStop(held, stops);
      const text = held.slice(0, certain);
      held = stop >= 0 ? '' : held.slice(certain);
      return { text, stopped: stop >= 0 };
    },
    flush: () => {
      const text = held;
      held = '';
      return text;
    },
    met: () => met,
  };
}

function earliest(text: string, stops: readonly string[]): number {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}

/** Length of the longest end of the text that a stop string begins with. */
function partialStop(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length -= 1) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
}
