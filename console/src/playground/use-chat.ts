import { useRef, useState } from 'react';
import { chat } from './chat-stream.ts';
import { grow, history, newTurn } from './conversation.ts';
import type { Turn } from './conversation.ts';
import type { Settings } from './settings.tsx';

export interface Chat {
  readonly turns: readonly Turn[];
  readonly busy: boolean;
  readonly send: (text: string, settings: Settings) => void;
  readonly stop: () => void;
  readonly clear: () => void;
}

/** The talk of this tab. One answer at a time; stopping or clearing ends it at the engine too. */
export function useChat(): Chat {
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const running = useRef<AbortController | null>(null);
  const [busy, setBusy] = useState(false);

  function change(id: number, next: (turn: Turn) => Turn): void {
    setTurns((list) => list.map((turn) => (turn.id === id ? next(turn) : turn)));
  }
  async function answer(turn: Turn, asked: readonly Turn[], settings: Settings): Promise<void> {
    const abort = new AbortController();
    running.current = abort;
    setBusy(true);
    try {
      const { model, temperature, maxTokens, system } = settings;
      const messages = [
        ...(system.trim() === '' ? [] : [{ role: 'system' as const, content: system }]),
        ...history(asked),
      ];
      for await (const event of chat({ model, temperature, maxTokens, messages }, abort.signal)) {
        const now = performance.now();
        change(turn.id, (current) => grow(current, event, now));
      }
      change(turn.id, (current) => ({ ...current, state: 'done' }));
    } catch (error) {
      const state = abort.signal.aborted ? 'stopped' : 'failed';
      change(turn.id, (current) => ({ ...current, state, error }));
    } finally {
      if (running.current === abort) {
        running.current = null;
        setBusy(false);
      }
    }
  }
  return {
    turns,
    busy,
    send: (text, settings) => {
      const now = performance.now();
      const asked = [...turns, newTurn('user', text, settings.model, now)];
      const turn = newTurn('assistant', '', settings.model, now);
      setTurns([...asked, turn]);
      void answer(turn, asked, settings);
    },
    stop: () => running.current?.abort(),
    clear: () => {
      running.current?.abort();
      setTurns([]);
    },
  };
}
