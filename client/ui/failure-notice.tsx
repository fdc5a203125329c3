import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { failureWords, shared } from '../messages.ts';
import type { Failure } from './call-json.ts';
import { Notice } from './tone.tsx';

interface FailureNoticeProps {
  readonly failure: Failure;
  /** What to do next where the screen knows better than the failure does. */
  readonly nextStep?: string;
  readonly onRetry?: (() => void) | undefined;
  readonly children?: ReactNode;
}

/** What went wrong, what to do next, the code for support. */
export function FailureNotice({ failure, nextStep, onRetry, children }: FailureNoticeProps): ReactNode {
  const words = failureWords(failure);
  return (
    <Notice tone="bad" live="assertive">
      <p className="strong">{words.message}</p>
      <p>{nextStep ?? words.nextStep}</p>
      <p className="small">{shared.errorCode}: <code>{failure.code}</code></p>
      <div className="row">
        {onRetry && <Button size="xs" variant="default" onClick={onRetry}>{shared.retry}</Button>}
        {children}
      </div>
    </Notice>
  );
}
