import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import { count, figure, milliseconds } from '../format.ts';
import { Fault } from '../parts/fault.tsx';
import { speedOf } from './conversation.ts';
import type { Turn } from './conversation.ts';
import { MessageText } from './message-text.tsx';

/** The talk. While an answer streams the region is busy, so that screen readers speak it whole at its end and not in crumbs. */
export function Transcript({ turns, busy }: { turns: readonly Turn[]; busy: boolean }): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (atEnd.current) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [turns]);
  return (
    <div
      className="transcript"
      ref={box}
      role="log"
      aria-label="Conversation"
      aria-live="polite"
      aria-busy={busy}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
        (atEnd.current = scrollHeight - scrollTop - clientHeight < 40)
      }
    >
      {turns.map((turn) =>
        turn.role === 'user' ? <Question key={turn.id} turn={turn} /> : <Answer key={turn.id} turn={turn} />,
      )}
    </div>
  );
}

function Question({ turn }: { turn: Turn }): ReactNode {
  return (
    <div className="turn question">
      <span className="hidden">You: </span>
      <MessageText text={turn.text} />
    </div>
  );
}

function Answer({ turn }: { turn: Turn }): ReactNode {
  return (
    <div className="turn answer" data-state={turn.state}>
      <span className="turn-head">{turn.model}</span>
      {turn.reasoning !== '' && (
        <details className="reasoning">
          <summary>Reasoning</summary>
          <MessageText text={turn.reasoning} />
        </details>
      )}
      {turn.text !== '' && <MessageText text={turn.text} />}
      {turn.state === 'waiting' && <span className="muted waiting">Waiting for the first token</span>}
      {turn.state === 'failed' && <Fault title="The answer failed" error={turn.error} />}
      <AnswerFoot turn={turn} />
    </div>
  );
}

const ends: Record<string, string> = { length: 'cut at the most output tokens', content_filter: 'filtered' };

/** Speed as this page saw it, and how the answer ended where that is not the usual way. */
function AnswerFoot({ turn }: { turn: Turn }): ReactNode {
  const speed = turn.state === 'streaming' ? null : speedOf(turn.timing);
  const end = turn.state === 'stopped' ? 'stopped by you' : ends[turn.finish ?? ''];
  if (!speed && !end) return null;
  return (
    <ul className="turn-foot">
      {speed && (
        <>
          <li>TTFT {milliseconds(speed.ttftMs)}</li>
          {speed.perSecond !== null && (
            <li>
              {figure(speed.perSecond)} {speed.unit}s/s
            </li>
          )}
          <li>{count(speed.amount, `output ${speed.unit}`)}</li>
          {turn.timing.prompt !== null && <li>{turn.timing.prompt} prompt tokens</li>}
        </>
      )}
      {end && <li>{end}</li>}
    </ul>
  );
}
