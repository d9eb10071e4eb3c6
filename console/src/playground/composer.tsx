import { useState } from 'react';
import type { FormEvent, KeyboardEvent, ReactNode } from 'react';

interface Props {
  readonly busy: boolean;
  /** Why nothing can be sent; null when it can. */
  readonly blocked: string | null;
  readonly onSend: (text: string) => void;
  readonly onStop: () => void;
}

/** Enter sends, Shift and Enter starts a new line, Escape stops the answer. */
export function Composer({ busy, blocked, onSend, onStop }: Props): ReactNode {
  const [text, setText] = useState('');
  const ready = !busy && blocked === null && text.trim() !== '';
  function submit(event?: FormEvent): void {
    event?.preventDefault();
    if (!ready) return;
    onSend(text.trim());
    setText('');
  }
  function onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape' && busy) onStop();
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  }
  return (
    <form className="composer" onSubmit={submit}>
      <label className="hidden" htmlFor="message">
        Message
      </label>
      <textarea
        id="message"
        rows={2}
        value={text}
        placeholder={blocked ?? 'Ask something. Enter sends, Shift+Enter starts a new line.'}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKey}
      />
      {busy ? (
        <button className="button" type="button" onClick={onStop}>
          Stop
        </button>
      ) : (
        <button className="button primary" type="submit" disabled={!ready}>
          Send
        </button>
      )}
    </form>
  );
}
